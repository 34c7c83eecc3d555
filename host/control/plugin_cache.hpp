#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/json.hpp"

namespace dbackup::host {

/// What plugins said of themselves, by file and hash: "<data>/cache/plugins.json". Losing it costs one
/// worker per plugin. Not thread-safe.
class PluginCache {
 public:
  /// What is not readable, or of another program version, is an empty cache.
  PluginCache(std::string file, std::string program_version);
  std::optional<Json> find(const std::string& path, const std::string& hash) const;
  void put(const std::string& path, const std::string& hash, Json description);
  /// Replaces the file; entries that were neither found nor put are dropped. Failures are logged.
  void save() const noexcept;

 private:
  struct Entry {
    std::string hash;
    Json description;
    mutable bool is_used = false;
  };
  std::string file_, program_version_;
  std::map<std::string, Entry> entries_;
};

/// SHA-256 of a file, hexadecimal. Throws Error.
std::string file_hash(const std::string& path);

}  // namespace dbackup::host
