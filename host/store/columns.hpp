#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "model/principal.hpp"

/// How values are kept in columns: booleans 0/1, JSON as text, "no time" as 0.
namespace dbackup::host::columns {

inline long long flag(bool value) { return value ? 1 : 0; }
inline long long time_or_zero(const std::optional<TimeMs>& time) { return time.value_or(0); }
inline std::optional<TimeMs> optional_time(long long column) {
  return column == 0 ? std::nullopt : std::optional<TimeMs>{column};
}

/// Text that we wrote ourselves; what cannot be read any more is null rather than an endless error.
inline Json json_column(const std::string& text) {
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json{} : value;
}
inline std::vector<std::string> strings_column(const std::string& text) {
  std::vector<std::string> out;
  for (const Json& item : json_column(text)) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

inline std::string permissions_text(const PermissionSet& set) {
  return dump_json(permission_names(set));
}
inline PermissionSet permissions_column(const std::string& text) {
  PermissionSet set;
  for (const auto& name : strings_column(text)) {
    if (const auto permission = parse_permission(name)) set.set(static_cast<size_t>(*permission));
  }
  return set;
}

}  // namespace dbackup::host::columns
