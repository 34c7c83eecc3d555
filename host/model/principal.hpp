#pragma once

#include <bitset>
#include <string>
#include <vector>

#include "model/permission.hpp"

namespace dbackup::host {

using PermissionSet = std::bitset<kPermissions.size()>;

/// Their names, in the order of the table.
inline std::vector<std::string> permission_names(const PermissionSet& set) {
  std::vector<std::string> names;
  for (const auto& row : kPermissions) {
    if (set.test(static_cast<size_t>(row.permission))) names.emplace_back(row.name);
  }
  return names;
}

enum class PrincipalKind { ApiKey, Session, System };

/// Who asks. Made by authentication, checked by the dispatcher, handed to every service.
struct Principal {
  PrincipalKind kind = PrincipalKind::System;
  std::string id;       ///< of the API key or the session; "system"
  std::string name;     ///< key name or user name: the trigger label of what it starts
  std::string user_id;  ///< owner; "" for keys without one
  PermissionSet permissions;
  bool is_super_admin = false;
  bool is_groupless = false;  ///< a signed-in person whom nobody has given access yet
  std::string client_address;
  std::string user_agent;  ///< as sent; for the audit log

  bool may(Permission permission) const {
    return is_super_admin || permissions.test(static_cast<size_t>(permission));
  }
};

}  // namespace dbackup::host
