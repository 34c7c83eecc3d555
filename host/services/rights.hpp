#pragma once

#include <string_view>

#include "model/principal.hpp"

namespace dbackup::host {

/// Types of adapter configurations on the wire.
inline constexpr std::string_view kDatabaseType = "database";
inline constexpr std::string_view kStorageType = "storage";
inline constexpr std::string_view kNotificationType = "notification";

/// Throws Error{InvalidArgument} for any other text.
void check_adapter_type(std::string_view type);
Permission read_permission(std::string_view adapter_type);
Permission write_permission(std::string_view adapter_type);

/// Throws Error{PermissionDenied} naming the permission.
void require(const Principal& who, Permission permission);

}  // namespace dbackup::host
