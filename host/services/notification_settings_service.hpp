#pragma once

#include <vector>

#include "control/notification_settings.hpp"
#include "model/principal.hpp"

namespace dbackup::host {

class AuditLog;
class ControlPlane;

struct NotificationSettingsView {
  NotificationSettings chosen;
  struct Channel {
    std::string id, name, adapter_id;
  };
  std::vector<Channel> available;  ///< by name
};

/// Whom the server tells of what. [any-thread]
class NotificationSettingsService {
 public:
  NotificationSettingsService(ControlPlane& control, const AuditLog& audit)
      : control_{control}, audit_{audit} {}

  NotificationSettingsView get() const;
  /// What is left out stays, within an event as well. Throws Error{InvalidArgument} naming the
  /// field.
  NotificationSettingsView change(const Principal& who, const Json& fields);

  struct TestOutcome {
    int64_t succeeded = 0, failed = 0;
  };
  /// Sends a sample of the event to its channels, on or off, else to the global ones. Throws
  /// Error{InvalidArgument} for an unknown event, {FailedPrecondition} when there is no channel.
  TestOutcome test(const Principal& who, const std::string& event);

 private:
  ControlPlane& control_;
  const AuditLog& audit_;
};

}  // namespace dbackup::host
