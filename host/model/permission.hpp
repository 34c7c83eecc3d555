#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace dbackup::host {

/// What a caller may do. One row each in kPermissions; routes, groups, keys, the OpenAPI document and
/// the tests read that table.
enum class Permission {
  UsersRead, UsersWrite,
  GroupsRead, GroupsWrite,
  SourcesView, SourcesRead, SourcesWrite,
  DestinationsRead, DestinationsWrite,
  JobsRead, JobsWrite, JobsExecute,
  StorageRead, StorageDownload, StorageRestore, StorageDelete,
  HistoryRead,
  AuditRead,
  NotificationsRead, NotificationsWrite,
  VaultRead, VaultWrite,
  CredentialsRead, CredentialsWrite, CredentialsDelete, CredentialsReveal,
  ProfileUpdateName, ProfileUpdateEmail, ProfileUpdatePassword,
  ProfileManage2fa, ProfileManagePasskeys, ProfileManageSso,
  SettingsRead, SettingsWrite,
  ApiKeysRead, ApiKeysWrite,
  TemplatesRead, TemplatesWrite,
};

struct PermissionRow {
  Permission permission;
  std::string_view name;      ///< on the wire: "jobs:read"
  std::string_view category;  ///< for people: "Jobs"
  std::string_view label;     ///< for people: what the holder may do
};

inline constexpr std::array kPermissions{
    PermissionRow{Permission::UsersRead, "users:read", "Users", "See users"},
    PermissionRow{Permission::UsersWrite, "users:write", "Users", "Create, change and delete users"},
    PermissionRow{Permission::GroupsRead, "groups:read", "Groups", "See groups"},
    PermissionRow{Permission::GroupsWrite, "groups:write", "Groups", "Create, change and delete groups"},
    PermissionRow{Permission::SourcesView, "sources:view", "Sources", "See sources, list their databases, test connections"},
    PermissionRow{Permission::SourcesRead, "sources:read", "Sources", "Look at tables and rows"},
    PermissionRow{Permission::SourcesWrite, "sources:write", "Sources", "Create, change, clone and delete sources"},
    PermissionRow{Permission::DestinationsRead, "destinations:read", "Destinations", "See, test and browse storage adapters"},
    PermissionRow{Permission::DestinationsWrite, "destinations:write", "Destinations", "Create, change, clone and delete storage adapters"},
    PermissionRow{Permission::JobsRead, "jobs:read", "Jobs", "See jobs"},
    PermissionRow{Permission::JobsWrite, "jobs:write", "Jobs", "Create, change, clone and delete jobs"},
    PermissionRow{Permission::JobsExecute, "jobs:execute", "Jobs", "Start jobs and cancel executions"},
    PermissionRow{Permission::StorageRead, "storage:read", "Storage", "List and verify backups"},
    PermissionRow{Permission::StorageDownload, "storage:download", "Storage", "Download backups and make download links"},
    PermissionRow{Permission::StorageRestore, "storage:restore", "Storage", "Restore, analyse and browse inside backups"},
    PermissionRow{Permission::StorageDelete, "storage:delete", "Storage", "Delete, lock and unlock backups"},
    PermissionRow{Permission::HistoryRead, "history:read", "History", "See executions, history and the notification log"},
    PermissionRow{Permission::AuditRead, "audit:read", "Audit", "See the audit log"},
    PermissionRow{Permission::NotificationsRead, "notifications:read", "Notifications", "See and test notification channels"},
    PermissionRow{Permission::NotificationsWrite, "notifications:write", "Notifications", "Create, change and delete notification channels"},
    PermissionRow{Permission::VaultRead, "vault:read", "Vault", "See encryption profiles"},
    PermissionRow{Permission::VaultWrite, "vault:write", "Vault", "Create and delete encryption profiles, export keys and recovery kits"},
    PermissionRow{Permission::CredentialsRead, "credentials:read", "Credentials", "See credential profiles without their secrets"},
    PermissionRow{Permission::CredentialsWrite, "credentials:write", "Credentials", "Create and change credential profiles"},
    PermissionRow{Permission::CredentialsDelete, "credentials:delete", "Credentials", "Delete credential profiles"},
    PermissionRow{Permission::CredentialsReveal, "credentials:reveal", "Credentials", "Read the secrets of credential profiles"},
    PermissionRow{Permission::ProfileUpdateName, "profile:update_name", "Profile", "Change one's own name"},
    PermissionRow{Permission::ProfileUpdateEmail, "profile:update_email", "Profile", "Change one's own e-mail address"},
    PermissionRow{Permission::ProfileUpdatePassword, "profile:update_password", "Profile", "Change one's own password"},
    PermissionRow{Permission::ProfileManage2fa, "profile:manage_2fa", "Profile", "Manage one's own second factor"},
    PermissionRow{Permission::ProfileManagePasskeys, "profile:manage_passkeys", "Profile", "Manage one's own passkeys"},
    PermissionRow{Permission::ProfileManageSso, "profile:manage_sso", "Profile", "Manage one's own linked logins"},
    PermissionRow{Permission::SettingsRead, "settings:read", "Settings", "See settings and system tasks"},
    PermissionRow{Permission::SettingsWrite, "settings:write", "Settings", "Change settings and run system tasks"},
    PermissionRow{Permission::ApiKeysRead, "api-keys:read", "API keys", "See all API keys"},
    PermissionRow{Permission::ApiKeysWrite, "api-keys:write", "API keys", "Create, change and delete API keys"},
    PermissionRow{Permission::TemplatesRead, "templates:read", "Templates", "See templates"},
    PermissionRow{Permission::TemplatesWrite, "templates:write", "Templates", "Create, change and delete templates"},
};

constexpr std::string_view to_string(Permission permission) noexcept {
  return kPermissions[static_cast<size_t>(permission)].name;
}

constexpr std::optional<Permission> parse_permission(std::string_view name) noexcept {
  for (const auto& row : kPermissions) {
    if (row.name == name) return row.permission;
  }
  return std::nullopt;
}

namespace detail {
constexpr bool permissions_in_order() {
  for (size_t i = 0; i < kPermissions.size(); ++i) {
    if (static_cast<size_t>(kPermissions[i].permission) != i) return false;
  }
  return kPermissions.size() == static_cast<size_t>(Permission::TemplatesWrite) + 1;
}
static_assert(permissions_in_order(), "rows of kPermissions stand in the order of Permission");
}  // namespace detail

}  // namespace dbackup::host
