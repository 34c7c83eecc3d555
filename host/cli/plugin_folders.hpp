#pragma once

#include <string>
#include <vector>

#include "base/settings.hpp"

namespace dbackup::host {

/// Where plugins are looked for: the folder shipped with the program (lib/dbackup/plugins, found relative to
/// the binary), then plugins.dirs.
std::vector<std::string> plugin_folders(const Settings& settings);

/// Where the API reference's bundle lies: share/dbackup/web, found relative to the binary.
std::string web_folder();

/// Every *.so of the folders, sorted within each; folders that do not exist are skipped.
std::vector<std::string> plugin_files(const std::vector<std::string>& folders);

}  // namespace dbackup::host
