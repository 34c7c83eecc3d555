#pragma once

#include <stop_token>
#include <string>

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

/// Tells the job's channels how a run ended, one after the other, 30 s each. A channel that fails is a
/// line in the run's log and nothing else.
class NotificationRouter {
 public:
  NotificationRouter(const ControlContext& context, WorkerClient& workers, const AdapterResolver& resolver)
      : context_{context}, workers_{workers}, resolver_{resolver} {}
  void backup_ended(const Execution& run, const Job& job, const std::string& source_name,
                    ExecutionRecorder& recorder, std::stop_token stop = {}) noexcept;

  /// Hands `event` to one channel, and notes in the notification log whether it arrived. Why it did not,
  /// without secrets; "": it did. `execution_id` "": the event is of no run. Blocks for up to 30 s.
  std::string deliver(const std::string& channel_id, const Json& event, const std::string& execution_id,
                      std::stop_token stop = {});

 private:
  const ControlContext& context_;
  WorkerClient& workers_;
  const AdapterResolver& resolver_;
};

}  // namespace dbackup::host
