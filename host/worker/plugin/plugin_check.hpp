#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"

namespace dbackup::host {

/// What `dbackup plugin check` may use; what is left out skips the checks that need it.
struct PluginCheckOptions {
  std::string adapter;           ///< only this one; "": all
  Json config;                   ///< a working configuration; null: only what needs no target
  std::string database;          ///< sources: one that exists, larger than 1 MiB
  std::string restore_database;  ///< sources: a name that may be overwritten
};

struct PluginCheckFinding {
  std::string adapter, check, sentence;
};

struct PluginCheckReport {
  std::string plugin_id, name, version;
  std::vector<std::string> adapters;  ///< those that were looked at
  std::vector<Json> descriptors;      ///< of each of them
  std::vector<PluginCheckFinding> findings;
};

/// Loads a plugin into this process and names its adapters, without findings. As check_plugin().
PluginCheckReport describe_plugin(const std::string& file);

/// Loads a plugin into this process and runs the SDK's conformance checks over its adapters. The plugin's
/// code runs here: call it in a process that may crash. Throws Error when it cannot be loaded.
PluginCheckReport check_plugin(const std::string& file, const PluginCheckOptions& options);

}  // namespace dbackup::host
