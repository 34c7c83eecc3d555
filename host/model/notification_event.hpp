#pragma once

#include <array>
#include <string_view>

namespace dbackup::host {

/// What the server tells of. Those of backups are told to a job's own channels besides; as system
/// events they are off unless somebody turns them on.
struct NotificationEventRow {
  std::string_view id, label, category, description;
  bool enabled;               ///< unless changed
  bool may_tell_user = false;  ///< the person it is about may be told as well
  int reminder_hours = 0;      ///< between reminders while it lasts, unless changed; 0: none are sent
};

inline constexpr std::array kNotificationEvents{
    NotificationEventRow{"user_login", "User login", "auth", "Somebody signed in", false, true},
    NotificationEventRow{"user_created", "User created", "auth", "An account was made", false, true},
    NotificationEventRow{"backup_success", "Backup successful", "backup", "A backup succeeded", false},
    NotificationEventRow{"backup_partial", "Backup partial", "backup",
                         "A backup did not reach all its destinations", false},
    NotificationEventRow{"backup_failure", "Backup failed", "backup", "A backup failed or was cancelled",
                         false},
    NotificationEventRow{"restore_complete", "Restore completed", "restore", "A restore succeeded", true},
    NotificationEventRow{"restore_failure", "Restore failed", "restore",
                         "A restore failed or was cancelled", true},
    NotificationEventRow{"config_backup", "Configuration backup", "system",
                         "The server's own configuration was backed up", false},
    NotificationEventRow{"system_error", "System error", "system", "A part of the server failed", true},
    NotificationEventRow{"storage_usage_spike", "Storage usage spike", "storage",
                         "The size of a destination changed more than usual", true, false, 24},
    NotificationEventRow{"storage_limit_warning", "Storage limit", "storage",
                         "A destination comes near its limit", true, false, 24},
    NotificationEventRow{"storage_missing_backup", "Missing backup", "storage",
                         "A destination received no backup for too long", true, false, 24},
    NotificationEventRow{"update_available", "Update available", "updates", "There is a newer release",
                         true, false, 168},
    NotificationEventRow{"connection_offline", "Connection lost", "health",
                         "A source or destination does not answer any more", true, false, 24},
    NotificationEventRow{"connection_online", "Connection restored", "health",
                         "A source or destination answers again", true},
    NotificationEventRow{"db_version_changed", "Database version changed", "health",
                         "A database server runs another version than before", true},
    NotificationEventRow{"integrity_check_failure", "Integrity check failed", "backup",
                         "A stored backup is not what it was", true},
};

constexpr const NotificationEventRow* find_notification_event(std::string_view id) noexcept {
  for (const auto& row : kNotificationEvents) {
    if (row.id == id) return &row;
  }
  return nullptr;
}

}  // namespace dbackup::host
