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

}  // namespace dbackup::host
