#pragma once

#include <stdlib.h>

#include <dbackup/testing/plugin_file.hpp>
#include <filesystem>
#include <string>
#include "tests/support/paths.hpp"

namespace dbackup::tests {

/// A first-party plugin as it was built.
inline testing::PluginFile built_plugin(const std::string& name) {
  return testing::PluginFile{::dbackup::test::binary_dir() + "/lib/dbackup/plugins/" + name +
                             ".so"};
}

/// An empty folder that goes with its content.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "dbackup-test-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace dbackup::tests
