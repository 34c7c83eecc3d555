#include "control/notification.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <iterator>
#include <map>

#include "base/error.hpp"
#include "base/logging.hpp"
#include "control/adapter_resolver.hpp"
#include "control/execution_recorder.hpp"
#include "control/job_templates.hpp"
#include "control/notification_log.hpp"
#include "control/notification_settings.hpp"
#include "control/stage_table.hpp"
#include "control/worker_client.hpp"
#include "model/notification_event.hpp"
#include "protocol/message_json.hpp"
#include "store/adapter_store.hpp"
#include "store/notification_log_store.hpp"

namespace dbackup::host {
namespace {

constexpr std::chrono::seconds kSendLimit{30};
// The adapter whose option "to" holds addresses of people.
constexpr std::string_view kMailAdapter = "email";

struct EventRow {
  const char* status;
  const char* event;
  const char* title;
  const char* color;
  bool is_success;
  const char* badge;  ///< "": none
  const char* sentence;
};
// A cancelled run did not back anything up: it is told as a failure.
constexpr EventRow kEvents[] = {
    {"Success", "backup_success", "Backup Successful", "#22c55e", true, "", "was backed up"},
    {"Partial", "backup_partial", "Backup Partial", "#f97316", false, "Partial",
     "was backed up, but not at every destination"},
    {"Failed", "backup_failure", "Backup Failed", "#ef4444", false, "", "was not backed up"},
    {"Cancelled", "backup_failure", "Backup Failed", "#ef4444", false, "", "was not backed up"},
};

const EventRow& row_of(const std::string& status) {
  for (const auto& row : kEvents) {
    if (status == row.status) return row;
  }
  return kEvents[2];
}

void add_field(Json& fields, const char* name, const std::string& value, bool is_inline = true) {
  if (!value.empty()) fields.push_back({{"name", name}, {"value", value}, {"inline", is_inline}});
}

std::string duration_text(const Execution& run, TimeMs now) {
  const TimeMs lasted = run.ended_at.value_or(now) - run.started_at;
  return std::to_string(std::max<TimeMs>(0, lasted) / 1000) + "s";
}

/// What goes wrong is a line in the run's log: the run itself has ended well.
template <class Send>
void tell(ExecutionRecorder& recorder, const Send& send) noexcept {
  try {
    try {
      for (const Delivery& delivery : send()) {
        if (!delivery.error.empty()) recorder.warning("a notification was not delivered: " + delivery.error);
      }
    } catch (const std::exception& error) {
      recorder.warning(std::string("notifications were not sent: ") + error.what());
    }
  } catch (...) {
    return;  // out of memory
  }
}

}  // namespace

bool wants_notification(const std::string& notification_events, const std::string& status) {
  const std::string word = status == "Success" ? "SUCCESS" : status == "Partial" ? "PARTIAL" : "FAILED";
  if (notification_events.empty() || notification_events == "ALWAYS") return true;
  if (notification_events == "FAILURE_ONLY") return word != "SUCCESS";
  if (notification_events == "SUCCESS_ONLY") return word == "SUCCESS";
  return ("|" + notification_events + "|").find("|" + word + "|") != std::string::npos;
}

Json backup_event(const Execution& run, const std::string& source_name, TimeMs now) {
  const EventRow& row = row_of(run.status);
  const bool has_result = run.status == "Success" || run.status == "Partial";
  Json fields = Json::array();
  add_field(fields, "Job", run.job_name);
  add_field(fields, "Source", source_name);
  if (has_result) {
    add_field(fields, "Duration", duration_text(run, now));
    add_field(fields, "Size", size_text(run.size));
  }
  if (run.status == "Partial") add_field(fields, "Details", run.error, /*is_inline=*/false);
  if (!has_result) add_field(fields, "Error", run.error, /*is_inline=*/false);
  add_field(fields, "Time", format_iso8601(now));
  std::string message = "\"" + run.job_name + "\" " + row.sentence;
  if (!run.error.empty()) message += ": " + run.error;
  Json event{{"eventType", row.event},
             {"title", std::string(row.title) + ": " + run.job_name},
             {"message", message},
             {"success", row.is_success},
             {"color", row.color},
             {"timestamp", format_iso8601(now)},
             {"fields", std::move(fields)}};
  if (*row.badge != '\0') event["badge"] = row.badge;
  return event;
}

Json restore_event(const Execution& run, const RestoreFacts& facts, TimeMs now) {
  const bool is_success = run.status == "Success" || run.status == "Partial";
  std::string kind = facts.adapter_id;
  std::ranges::transform(kind, kind.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  Json fields = Json::array();
  add_field(fields, "Source", facts.source_name);
  add_field(fields, "Database Type", kind);
  add_field(fields, "Target DB", facts.database);
  if (is_success) add_field(fields, "Storage", facts.storage_name);
  add_field(fields, "Backup File", facts.file, /*is_inline=*/false);
  if (is_success && run.size > 0) add_field(fields, "Size", size_text(run.size));
  if (!is_success) add_field(fields, "Error", run.error, /*is_inline=*/false);
  add_field(fields, "Duration", duration_text(run, now));
  add_field(fields, "Time", format_iso8601(now));
  std::string message = "\"" + facts.file + "\" was " + (is_success ? "" : "not ") + "restored into \"" +
                        facts.source_name + "\"";
  if (!run.error.empty()) message += ": " + run.error;
  return {{"eventType", is_success ? "restore_complete" : "restore_failure"},
          {"title", is_success ? "Restore Completed" : "Restore Failed"},
          {"message", message},
          {"success", is_success},
          {"color", is_success ? "#22c55e" : "#ef4444"},
          {"timestamp", format_iso8601(now)},
          {"fields", std::move(fields)}};
}

Json sample_event(const std::string& event, TimeMs now) {
  const NotificationEventRow* row = find_notification_event(event);
  Json fields = Json::array();
  add_field(fields, "Event", row == nullptr ? event : std::string{row->label});
  add_field(fields, "Time", format_iso8601(now));
  return {{"eventType", event},
          {"title", "Test: " + (row == nullptr ? event : std::string{row->label})},
          {"message", "This is a test; nothing happened. The channel receives events of this kind."},
          {"success", true},
          {"color", "#3b82f6"},
          {"badge", "Test"},
          {"timestamp", format_iso8601(now)},
          {"fields", std::move(fields)}};
}

std::vector<std::string> NotificationRouter::channels_named(Session& session, const std::string& event,
                                                            std::vector<std::string> first) const {
  for (const auto& id : notification_settings(session).channels_of(event)) {
    if (std::ranges::find(first, id) == first.end()) first.push_back(id);
  }
  return first;
}

std::vector<Delivery> NotificationRouter::send(const Json& event, const std::vector<std::string>& channels,
                                               const SendOptions& how) {
  std::vector<Delivery> out;
  for (const auto& channel_id : channels)
    out.push_back({.channel_id = channel_id, .error = deliver(channel_id, event, how)});
  return out;
}

void NotificationRouter::backup_ended(const Execution& run, const Job& job, const std::string& source_name,
                                      ExecutionRecorder& recorder, std::stop_token stop) noexcept {
  tell(recorder, [&] {
    const Json event = backup_event(run, source_name, context_.clock.now_ms());
    std::vector<std::string> channels;
    context_.database.read([&](Session& s) {
      channels = channels_named(s, row_of(run.status).event, channels_of(s, job, run.status));
    });
    return send(event, channels, {.execution_id = run.id, .stop = stop});
  });
}

void NotificationRouter::restore_ended(const Execution& run, const RestoreFacts& facts,
                                       ExecutionRecorder& recorder, std::stop_token stop) noexcept {
  tell(recorder, [&] {
    const Json event = restore_event(run, facts, context_.clock.now_ms());
    std::vector<std::string> channels;
    context_.database.read(
        [&](Session& s) { channels = channels_named(s, event.at("eventType").get<std::string>(), {}); });
    return send(event, channels, {.execution_id = run.id, .stop = stop});
  });
}

void NotificationRouter::system_event(const Json& event, const std::string& user_email,
                                      std::stop_token stop) noexcept {
  try {
    std::vector<std::string> channels;
    std::vector<std::string> mail_channels;
    std::string about_user;
    const auto name = event.at("eventType").get<std::string>();
    context_.database.read([&](Session& s) {
      const NotificationSettings settings = notification_settings(s);
      channels = settings.channels_of(name);
      about_user = settings.events.at(name).notify_user;
      for (const auto& id : channels) {
        const auto channel = AdapterStore{}.find(s, id);
        if (channel && channel->adapter_id == kMailAdapter) mail_channels.push_back(id);
      }
    });
    const NotificationEventRow* row = find_notification_event(name);
    if (row == nullptr || !row->may_tell_user || user_email.empty()) about_user = "none";
    std::vector<Delivery> deliveries;
    if (about_user != "only") deliveries = send(event, channels, {.stop = stop});
    if (about_user != "none") {
      std::ranges::move(send(event, mail_channels, {.receiver = user_email, .stop = stop}),
                        std::back_inserter(deliveries));
    }
    for (const auto& delivery : deliveries) {
      if (!delivery.error.empty()) log_warning("a notification of " + name + " was not delivered: " + delivery.error);
    }
  } catch (const std::exception& error) {
    log_warning(std::string("notifications were not sent: ") + error.what());
  }
}

std::string NotificationRouter::deliver(const std::string& channel_id, const Json& event,
                                        const SendOptions& how) {
  AdapterConfig channel{.id = channel_id};
  std::vector<std::string> secrets;
  std::string failure;
  Rendering rendering;
  try {
    context_.database.read([&](Session& s) {
      if (auto found = AdapterStore{}.find(s, channel_id)) channel = std::move(*found);
    });
    if (channel.adapter_id.empty()) throw Error(ErrorCode::NotFound, "the channel does not exist");
    secrets = resolver_.secrets_of(channel, resolver_.open_config(channel));
    protocol::AdapterRef adapter = resolver_.resolve(channel);
    if (!how.receiver.empty()) adapter.config["to"] = how.receiver;
    std::ranges::move(resolver_.secrets_of(channel, adapter.config), std::back_inserter(secrets));
    WorkerCall call;
    call.deadline = kSendLimit;
    call.stop = how.stop;
    call.lane = how.is_request ? WorkerLane::Request : WorkerLane::Run;
    const protocol::NotifyRequest request{.adapter = adapter, .event = event};
    const Json answer = workers_.run(protocol::Operation::Notify, Json(request), call);
    rendering = {.text = get_string(answer, "rendered").value_or(""),
                 .format = get_string(answer, "format").value_or("")};
  } catch (const Error& error) {
    if (how.is_request && error.reason() == "busy") throw;
    failure = error.what();
    if (failure.empty()) failure = "delivery failed";
  }
  const NotificationLog entry =
      notification_entry(channel, secrets, event, how.execution_id, failure, context_.clock.now_ms(), rendering);
  try {
    context_.database.write([&](Session& s) { NotificationLogStore{}.insert(s, entry); });
  } catch (const std::exception& error) {
    log_error(std::string("what was told to a channel cannot be noted: ") + error.what());
  }
  return entry.error;
}

}  // namespace dbackup::host
