#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "control/context.hpp"
#include "model/nouns.hpp"

namespace dbackup::host {

class WorkerClient;
class AdapterResolver;
class ExecutionRecorder;

/// True when a job with this `notification_events` tells of a run that ended as `status`.
bool wants_notification(const std::string& notification_events, const std::string& status);

/// The event of an ended backup: eventType, title, message, success, color, badge?, timestamp, fields.
Json backup_event(const Execution& run, const std::string& source_name, TimeMs now);

/// What an ended restore is told with, beside its row. "": not known.
struct RestoreFacts {
  std::string source_name, adapter_id, database, storage_name, file;
};
/// The event of an ended restore: restore_complete or restore_failure.
Json restore_event(const Execution& run, const RestoreFacts& facts, TimeMs now);
/// One to try a channel with.
Json sample_event(const std::string& event, TimeMs now);

/// How the delivery to one channel went; `error` "": well.
struct Delivery {
  std::string channel_id, error;
};

struct SendOptions {
  std::string execution_id = {};  ///< of the run that the event is of; "": of none
  bool is_request = false;        ///< somebody waits for it
  std::string receiver = {};      ///< of a mail, in place of the channel's own; "": those
  std::stop_token stop = {};
};

/// Tells channels what happened, one after the other, 30 s each. A channel that fails is a line in the
/// run's log, or in the server's, and nothing else. Beside the channels of a job, those that the
/// settings name for the event are told, each once. [any-thread]
class NotificationRouter {
 public:
  NotificationRouter(const ControlContext& context, WorkerClient& workers, const AdapterResolver& resolver)
      : context_{context}, workers_{workers}, resolver_{resolver} {}
  void backup_ended(const Execution& run, const Job& job, const std::string& source_name,
                    ExecutionRecorder& recorder, std::stop_token stop = {}) noexcept;
  void restore_ended(const Execution& run, const RestoreFacts& facts, ExecutionRecorder& recorder,
                     std::stop_token stop = {}) noexcept;
  /// An event that is no run's: to the channels that the settings name for its "eventType". Where the
  /// settings say so, those of them that send mail also, or only, tell `user_email`, the person it is
  /// about; "": nobody.
  void system_event(const Json& event, const std::string& user_email = "",
                    std::stop_token stop = {}) noexcept;

  /// Sends whatever the settings say. Throws when it must not be sent now at all (Unavailable, "busy").
  std::vector<Delivery> send(const Json& event, const std::vector<std::string>& channels,
                             const SendOptions& how);

 private:
  /// Hands `event` to one channel, and notes in the notification log whether it arrived. Why it did not,
  /// without secrets; "": it did. Blocks for up to 30 s.
  std::string deliver(const std::string& channel_id, const Json& event, const SendOptions& how);
  std::vector<std::string> channels_named(Session& session, const std::string& event,
                                          std::vector<std::string> first) const;

  const ControlContext& context_;
  WorkerClient& workers_;
  const AdapterResolver& resolver_;
};

}  // namespace dbackup::host
