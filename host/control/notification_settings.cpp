#include "control/notification_settings.hpp"

#include <algorithm>
#include <set>

#include "model/notification_event.hpp"
#include "store/adapter_store.hpp"
#include "store/columns.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

constexpr const char* kKey = "notifications.config";

std::vector<std::string> known_ids(const Json& list, const std::set<std::string>& known) {
  std::vector<std::string> out;
  for (const Json& id : list) {
    if (id.is_string() && known.contains(id.get<std::string>())) out.push_back(id.get<std::string>());
  }
  return out;
}

/// A member of an object of the wanted kind; null for anything else: what is stored may be older.
Json member(const Json& object, const std::string& key) {
  return object.is_object() ? object.value(key, Json{}) : Json{};
}

}  // namespace

std::vector<std::string> NotificationSettings::channels_of(const std::string& event) const {
  const auto found = events.find(event);
  if (found == events.end() || !found->second.enabled) return {};
  return found->second.channels.value_or(global_channels);
}

NotificationSettings notification_settings(Session& session) {
  const Json stored = columns::json_column(SettingStore{}.get(session, kKey).value_or("{}"));
  std::set<std::string> known;
  for (const auto& row : AdapterStore{}.list(session, "notification")) known.insert(row.id);
  NotificationSettings out;
  out.global_channels = known_ids(member(stored, "globalChannels"), known);
  const Json events = member(stored, "events");
  for (const auto& row : kNotificationEvents) {
    const std::string id{row.id};
    const Json chosen = member(events, id);
    EventChoice& choice = out.events[id];
    const Json enabled = member(chosen, "enabled");
    choice.enabled = enabled.is_boolean() ? enabled.get<bool>() : row.enabled;
    if (const Json channels = member(chosen, "channels"); channels.is_array())
      choice.channels = known_ids(channels, known);
    if (const Json notify = member(chosen, "notifyUser"); notify.is_string())
      choice.notify_user = notify.get<std::string>();
    if (const Json hours = member(chosen, "reminderIntervalHours"); hours.is_number_integer())
      choice.reminder_hours = hours.get<int64_t>();
  }
  return out;
}

void store_notification_settings(Session& session, const NotificationSettings& settings) {
  SettingStore{}.set(session, kKey, dump_json(to_json(settings)));
}

Json to_json(const NotificationSettings& settings) {
  Json events = Json::object();
  for (const auto& [id, choice] : settings.events) {
    Json event{{"enabled", choice.enabled},
               {"channels", choice.channels ? Json(*choice.channels) : Json{}},
               {"notifyUser", choice.notify_user}};
    if (choice.reminder_hours) event["reminderIntervalHours"] = *choice.reminder_hours;
    events[id] = std::move(event);
  }
  return {{"globalChannels", settings.global_channels}, {"events", std::move(events)}};
}

}  // namespace dbackup::host
