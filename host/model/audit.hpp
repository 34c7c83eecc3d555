#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace dbackup::host {

enum class AuditAction { Login, Logout, Create, Update, Delete, Execute, Export };
enum class AuditResource {
  Auth, User, Group, Source, Destination, Job, System, Adapter, Vault, Credential, ApiKey, Template
};

/// Their names on the wire, in the order of the enumerators.
inline constexpr std::array<std::string_view, 7> kAuditActions{
    "LOGIN", "LOGOUT", "CREATE", "UPDATE", "DELETE", "EXECUTE", "EXPORT"};
inline constexpr std::array<std::string_view, 12> kAuditResources{
    "AUTH", "USER", "GROUP", "SOURCE", "DESTINATION", "JOB", "SYSTEM", "ADAPTER", "VAULT", "CREDENTIAL",
    "API_KEY", "TEMPLATE"};

constexpr std::string_view to_string(AuditAction action) noexcept {
  return kAuditActions[static_cast<size_t>(action)];
}
constexpr std::string_view to_string(AuditResource resource) noexcept {
  return kAuditResources[static_cast<size_t>(resource)];
}

/// One line of the audit log.
struct AuditEntry {
  std::string id;
  std::string user_id;     ///< of an API key: its owner; "" for nobody known
  std::string api_key_id;  ///< "" for people
  std::string action, resource, resource_id;
  Json details = Json::object();  ///< without secrets
  std::string ip_address, user_agent;
  TimeMs created_at = 0;
};

}  // namespace dbackup::host
