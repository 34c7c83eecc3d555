#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// What an operator chose for one event.
struct EventChoice {
  bool enabled = false;
  std::optional<std::vector<std::string>> channels;  ///< none: the global ones
  std::string notify_user = "none";                  ///< none, also, only
  std::optional<int64_t> reminder_hours;             ///< none: that of the event's row
};

/// Whom the server tells of what, beside the channels of jobs.
struct NotificationSettings {
  std::vector<std::string> global_channels;
  std::map<std::string, EventChoice> events;  ///< all of kNotificationEvents

  /// Ids of the channels of an event; none while it is off.
  std::vector<std::string> channels_of(const std::string& event) const;
};

/// As stored, defaults filled in. Channels that do not exist any more are left out.
NotificationSettings notification_settings(Session& session);
void store_notification_settings(Session& session, const NotificationSettings& settings);
/// As the published API shows them.
Json to_json(const NotificationSettings& settings);

}  // namespace dbackup::host
