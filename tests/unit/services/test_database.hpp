#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "base/clock.hpp"
#include "base/secret_string.hpp"
#include "crypto/secret_box.hpp"
#include "store/database.hpp"

namespace dbackup::host::testing {

/// A clock that stands still until it is moved.
class ManualClock final : public Clock {
 public:
  TimeMs now_ms() const override { return now_; }
  void advance(TimeMs by) { now_ += by; }

 private:
  TimeMs now_ = 1'773'021'604'117;
};

/// A folder that goes with its owner.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dbackup-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
    path_ = pattern;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// A real SQLite metadata database, and a key to seal with.
struct TestDatabase {
  TempFolder folder;
  ManualClock clock;
  SecretString master_key{std::string(32, 'k')};
  SecretBox box{master_key};
  std::unique_ptr<Database> database =
      Database::open({.url = "sqlite://" + folder.file("metadata.db"), .connections = 4});
};

}  // namespace dbackup::host::testing
