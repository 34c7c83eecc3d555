#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/types.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>

#include "tests/integration/source_bench.hpp"

namespace dbackup::testing {

/// A connection of the test's own.
class Sqlite {
 public:
  explicit Sqlite(const std::string& path) {
    if (sqlite3_open(path.c_str(), &raw_) != SQLITE_OK) throw std::runtime_error{path};
    sqlite3_busy_timeout(raw_, 10'000);
  }
  ~Sqlite() { sqlite3_close(raw_); }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  int try_run(const std::string& sql) {
    return sqlite3_exec(raw_, sql.c_str(), nullptr, nullptr, nullptr);
  }
  void run(const std::string& sql) {
    if (try_run(sql) != SQLITE_OK) throw std::runtime_error{sql + ": " + sqlite3_errmsg(raw_)};
  }
  /// Columns by '|', rows by '\n'.
  std::string text(const std::string& sql) {
    std::string out;
    const auto add = [](void* to, int count, char** values, char**) {
      auto& all = *static_cast<std::string*>(to);
      if (!all.empty()) all += '\n';
      for (int i = 0; i < count; ++i) {
        all += i > 0 ? "|" : "";
        all += values[i] == nullptr ? "" : values[i];
      }
      return 0;
    };
    if (sqlite3_exec(raw_, sql.c_str(), add, &out, nullptr) != SQLITE_OK) {
      throw std::runtime_error{sql + ": " + sqlite3_errmsg(raw_)};
    }
    return out;
  }
  sqlite3* raw() { return raw_; }

 private:
  sqlite3* raw_ = nullptr;
};

class SqliteSourceTest : public ::testing::Test {
 protected:
  SqliteSourceTest() {
    std::string name = (std::filesystem::temp_directory_path() / "dbackup-sqlite-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
    folder_ = name;
    path_ = name + "/live.db";
  }
  ~SqliteSourceTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  SourceBench source(Json extra = Json::object()) const {
    extra["path"] = path_;
    return SourceBench{"sqlite", extra};
  }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  static void store(const std::string& path, const std::string& content) {
    std::ofstream{path, std::ios::binary} << content;
  }
  static std::string load(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  /// Names in the folder, so that nothing is left behind unseen.
  std::string listing() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator{folder_}) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    std::string out;
    for (const auto& name : names) out += (out.empty() ? "" : " ") + name;
    return out;
  }
  /// Opens an image in a folder of its own and runs `sql`.
  std::string in_image(const std::string& image, const std::string& sql) const {
    const std::string copy = file("image.db");
    store(copy, image);
    std::string out;
    {
      Sqlite opened{copy};
      out = opened.text(sql);
    }
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(copy + suffix);
    return out;
  }

  std::string folder_;
  std::string path_;
};

}  // namespace dbackup::testing
