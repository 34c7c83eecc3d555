#include "services/rights.hpp"

#include <string>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

struct TypeRow {
  std::string_view type;
  Permission read, write;
};
constexpr TypeRow kTypes[] = {
    {kDatabaseType, Permission::SourcesView, Permission::SourcesWrite},
    {kStorageType, Permission::DestinationsRead, Permission::DestinationsWrite},
    {kNotificationType, Permission::NotificationsRead, Permission::NotificationsWrite},
};

const TypeRow& row_of(std::string_view type) {
  for (const auto& row : kTypes) {
    if (row.type == type) return row;
  }
  throw Error(ErrorCode::InvalidArgument,
              "\"type\" must be one of: database, storage, notification");
}

}  // namespace

void check_adapter_type(std::string_view type) { row_of(type); }
Permission read_permission(std::string_view adapter_type) { return row_of(adapter_type).read; }
Permission write_permission(std::string_view adapter_type) { return row_of(adapter_type).write; }

void require(const Principal& who, Permission permission) {
  if (who.may(permission)) return;
  throw Error(ErrorCode::PermissionDenied,
              "Forbidden: this needs " + std::string{to_string(permission)});
}

PermissionSet parse_permissions(const std::vector<std::string>& names, std::string_view field) {
  PermissionSet set;
  for (const std::string& name : names) {
    const auto permission = parse_permission(name);
    if (!permission) {
      throw Error(ErrorCode::InvalidArgument,
                  "\"" + std::string{field} + "\": \"" + name + "\" is unknown");
    }
    set.set(static_cast<size_t>(*permission));
  }
  return set;
}

void require_may_give(const Principal& who, const PermissionSet& permissions, std::string_view to) {
  for (const auto& row : kPermissions) {
    if (!permissions.test(static_cast<size_t>(row.permission)) || who.may(row.permission)) continue;
    throw Error(ErrorCode::PermissionDenied,
                std::string{to} + " can only be given permissions that you hold; you lack \"" +
                    std::string{row.name} + "\"");
  }
}

}  // namespace dbackup::host
