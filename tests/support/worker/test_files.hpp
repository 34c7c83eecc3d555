#pragma once

#include <filesystem>
#include <string>

#include "base/id.hpp"
#include "tests/support/paths.hpp"

namespace dbackup::test {

inline const std::string kProbe = ::dbackup::test::binary_dir() + "/lib/worker-test-plugins" "/dbackup_probe_plugin.so";

/// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_{std::filesystem::temp_directory_path() / ("dbackup-test-" + host::new_uuid())} {
    std::filesystem::create_directory(path_);
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ / name; }
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace dbackup::test
