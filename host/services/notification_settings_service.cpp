#include "services/notification_settings_service.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "control/control_plane.hpp"
#include "model/notification_event.hpp"
#include "services/audit_log.hpp"
#include "services/rights.hpp"
#include "store/adapter_store.hpp"

namespace dbackup::host {
namespace {

constexpr int64_t kMostReminderHours = 8760;

[[noreturn]] void bad(const std::string& field, const std::string& what) {
  throw Error(ErrorCode::InvalidArgument, "\"" + field + "\" " + what);
}

std::vector<std::string> channel_ids(Session& session, const Json& list, const std::string& where) {
  if (!list.is_array()) bad(where, "must be an array");
  std::vector<std::string> out;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string here = where + "[" + std::to_string(i) + "]";
    if (!list[i].is_string()) bad(here, "must be a text");
    const auto id = list[i].get<std::string>();
    const auto row = AdapterStore{}.find(session, id);
    if (!row || row->type != kNotificationType)
      bad(here, "\"" + id + "\" is no known notification adapter");
    if (std::ranges::find(out, id) == out.end()) out.push_back(id);
  }
  return out;
}

void apply_event(Session& session, EventChoice& choice, const Json& fields,
                 const std::string& where) {
  if (!fields.is_object()) bad(where, "must be an object");
  for (const auto& [name, value] : fields.items()) {
    const std::string here = where + "." + name;
    if (name == "enabled") {
      if (!value.is_boolean()) bad(here, "must be true or false");
      choice.enabled = value.get<bool>();
    } else if (name == "channels") {
      choice.channels.reset();
      if (!value.is_null()) choice.channels = channel_ids(session, value, here);
    } else if (name == "notifyUser") {
      if (value != "none" && value != "also" && value != "only")
        bad(here, "must be one of: none, also, only");
      choice.notify_user = value.get<std::string>();
    } else if (name == "reminderIntervalHours") {
      choice.reminder_hours.reset();
      if (value.is_null()) continue;
      if (!value.is_number_integer() || value.get<int64_t>() < 1 ||
          value.get<int64_t>() > kMostReminderHours)
        bad(here, "must be an integer from 1 to " + std::to_string(kMostReminderHours));
      choice.reminder_hours = value.get<int64_t>();
    }
  }
}

NotificationSettingsView view(Session& session) {
  NotificationSettingsView out{.chosen = notification_settings(session)};
  for (const auto& row : AdapterStore{}.list(session, std::string{kNotificationType}))
    out.available.push_back({row.id, row.name, row.adapter_id});
  std::ranges::sort(out.available, {}, &NotificationSettingsView::Channel::name);
  return out;
}

}  // namespace

NotificationSettingsView NotificationSettingsService::get() const {
  NotificationSettingsView out;
  control_.context().database.read([&](Session& session) { out = view(session); });
  return out;
}

NotificationSettingsView NotificationSettingsService::change(const Principal& who,
                                                             const Json& fields) {
  NotificationSettingsView out;
  control_.context().database.write([&](Session& session) {
    NotificationSettings chosen = notification_settings(session);
    Json told{{"settings", "notifications"}};
    if (const auto list = fields.find("globalChannels"); list != fields.end()) {
      chosen.global_channels = channel_ids(session, *list, "globalChannels");
      told["globalChannels"] = chosen.global_channels;
    }
    if (const auto events = fields.find("events"); events != fields.end()) {
      if (!events->is_object()) bad("events", "must be an object");
      for (const auto& [id, event] : events->items()) {
        if (find_notification_event(id) == nullptr)
          bad("events." + id, "is no event that there is");
        apply_event(session, chosen.events[id], event, "events." + id);
        told["events"].push_back(id);
      }
    }
    store_notification_settings(session, chosen);
    audit_.write(session, who, AuditAction::Update, AuditResource::System, "notifications", told);
    out = view(session);
  });
  return out;
}

NotificationSettingsService::TestOutcome NotificationSettingsService::test(
    const Principal& who, const std::string& event) {
  if (find_notification_event(event) == nullptr)
    bad("eventType", "\"" + event + "\" is no event that there is");
  std::vector<std::string> channels;
  control_.context().database.read([&](Session& session) {
    const NotificationSettings chosen = notification_settings(session);
    channels = chosen.events.at(event).channels.value_or(chosen.global_channels);
  });
  if (channels.empty()) {
    throw Error(ErrorCode::FailedPrecondition,
                "no channel is chosen for \"" + event + "\", and none for all events");
  }
  TestOutcome out;
  const Json sample = sample_event(event, control_.context().clock.now_ms());
  for (const auto& delivery : control_.notifications().send(sample, channels, {.is_request = true}))
    ++(delivery.error.empty() ? out.succeeded : out.failed);
  audit_.write(who, AuditAction::Execute, AuditResource::System, "notifications",
               {{"test", event}, {"succeeded", out.succeeded}, {"failed", out.failed}});
  return out;
}

}  // namespace dbackup::host
