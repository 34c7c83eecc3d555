#include "cli/plugin_folders.hpp"

#include <algorithm>
#include <filesystem>

namespace dbackup::host {

std::string web_folder() {
  std::error_code failed;
  const auto binary = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) return "";
  return (binary.parent_path().parent_path() / "share" / "dbackup" / "web").string();
}

std::vector<std::string> plugin_folders(const Settings& settings) {
  namespace fs = std::filesystem;
  std::vector<std::string> out;
  std::error_code failed;
  const fs::path binary = fs::read_symlink("/proc/self/exe", failed);
  if (!failed) {
    out.push_back((binary.parent_path().parent_path() / "lib" / "dbackup" / "plugins").string());
  }
  for (const auto& folder : settings.list("plugins.dirs")) out.push_back(fs::absolute(folder).string());
  return out;
}

std::vector<std::string> plugin_files(const std::vector<std::string>& folders) {
  namespace fs = std::filesystem;
  std::vector<std::string> out;
  for (const auto& folder : folders) {
    std::vector<std::string> here;
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
      if (entry.path().extension() == ".so") here.push_back(entry.path().string());
    }
    std::sort(here.begin(), here.end());
    out.insert(out.end(), here.begin(), here.end());
  }
  return out;
}

}  // namespace dbackup::host
