#pragma once

#include <span>
#include <string_view>

namespace dbackup::host {

enum class SettingType { Text, Secret, Path, Integer, Boolean, Choice, List };

/// One row per setting: the YAML check, the environment, the REST schema and config/dbackup.yaml follow it.
struct SettingRow {
  std::string_view key;  ///< "server.port"; in the environment DBACKUP_SERVER_PORT
  SettingType type;
  std::string_view fallback;  ///< as text; lists separated by ':'
  std::string_view help;      ///< what it does, and why the default is what it is
  long long minimum = 0, maximum = 0;  ///< Integer; for Text, maximum > 0 is its longest size in bytes
  std::string_view choices = "";       ///< Choice: separated by '|'
  /// Key under which the API stores it; "": it cannot be changed over REST.
  std::string_view stored_key = "";
};

std::span<const SettingRow> settings_table() noexcept;
const SettingRow* find_setting(std::string_view key) noexcept;

}  // namespace dbackup::host
