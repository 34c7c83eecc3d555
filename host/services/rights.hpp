#pragma once

#include <string>
#include <string_view>
#include <vector>

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

/// The permissions of these names. Throws Error{InvalidArgument} for an unknown one, naming
/// `field`.
PermissionSet parse_permissions(const std::vector<std::string>& names, std::string_view field);
/// Nobody gives what they do not hold. Throws Error{PermissionDenied} naming the first that `who`
/// lacks.
void require_may_give(const Principal& who, const PermissionSet& permissions, std::string_view to);

}  // namespace dbackup::host
