#pragma once

#include <span>
#include <string_view>

#include "base/settings_table.hpp"

namespace dbackup::host {

/// A setting as the published API names it; type, limits and default are those of its row.
struct SettingField {
  std::string_view name;  ///< "maxConcurrentJobs"
  std::string_view key;   ///< of settings_table()
};

/// One group of settings: /api/settings/<id>.
struct SettingGroup {
  std::string_view id, label;
  std::span<const SettingField> fields;
  bool can_reset = false;  ///< DELETE brings the defaults back
};

inline constexpr SettingField kSystemFields[] = {
    {"maxConcurrentJobs", "queue.max_concurrent_jobs"},
    {"stuckTimeoutMinutes", "execution.stuck_timeout_minutes"},
    {"disablePasskeyLogin", "auth.disable_passkey_login"},
    {"sessionDuration", "auth.session_duration_seconds"},
    {"auditLogRetentionDays", "audit.retention_days"},
    {"storageSnapshotRetentionDays", "storage.snapshot_retention_days"},
    {"notificationLogRetentionDays", "notification.log_retention_days"},
    {"healthLogRetentionDays", "healthcheck.log_retention_days"},
    {"postUploadVerify", "backup.post_upload_verify"},
    {"checkForUpdates", "general.check_for_updates"},
    {"showQuickSetup", "general.show_quick_setup"},
    {"systemTimezone", "system.timezone"},
    {"filenamePattern", "system.filename_pattern"},
    {"instanceName", "general.instance_name"},
};
inline constexpr SettingField kRateLimitFields[] = {
    {"authPoints", "rate_limits.auth_points"},
    {"authDuration", "rate_limits.auth_duration"},
    {"apiPoints", "rate_limits.api_points"},
    {"apiDuration", "rate_limits.api_duration"},
    {"mutationPoints", "rate_limits.mutation_points"},
    {"mutationDuration", "rate_limits.mutation_duration"},
};
inline constexpr SettingField kPrivacyFields[] = {
    {"includeActorInMetadata", "privacy.include_actor_in_metadata"},
};
inline constexpr SettingField kIntegrityFields[] = {
    {"skipPassed", "integrity.skip_passed"},
    {"maxAgeDays", "integrity.max_age_days"},
    {"maxFileSizeMb", "integrity.max_file_size_mb"},
    {"scanMode", "integrity.scan_mode"},
};

inline constexpr SettingGroup kSettingGroups[] = {
    {"system", "Settings of the whole system", kSystemFields},
    {"rate-limits", "Limits of requests", kRateLimitFields, true},
    {"privacy", "What side files tell", kPrivacyFields},
    {"integrity", "What integrity checks look at", kIntegrityFields},
};

}  // namespace dbackup::host
