#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>
#include "tests/support/paths.hpp"

// The house rules that are about files: who may include whom, how long a file may be.
namespace {

namespace fs = std::filesystem;

const std::map<std::string, std::set<std::string>> kMayInclude{
    {"base", {}},
    {"crypto", {"base"}},
    {"model", {"crypto", "base"}},
    {"protocol", {"model", "crypto", "base"}},
    {"store", {"model", "crypto", "base"}},
    {"control", {"store", "protocol", "model", "crypto", "base"}},
    {"services", {"control", "store", "protocol", "model", "crypto", "base"}},
    {"api", {"services", "control", "store", "protocol", "model", "crypto", "base"}},
    {"worker", {"protocol", "model", "crypto", "base"}},
    {"cli", {"api", "services", "control", "store", "worker", "protocol", "model", "crypto", "base"}},
};
const std::set<std::string> kSeesSdk{"worker"};
constexpr size_t kMostLines = 420;

struct SourceFile {
  fs::path path;
  std::vector<std::string> includes;  ///< as written, with their quotes or brackets
  size_t lines = 0;
};

std::vector<SourceFile> sources(const std::string& folder) {
  std::vector<SourceFile> out;
  const std::set<std::string> endings{".cpp", ".hpp", ".h", ".c"};
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(::dbackup::test::source_dir()) / folder)) {
    if (!entry.is_regular_file() || !endings.contains(entry.path().extension().string())) continue;
    SourceFile file{.path = entry.path()};
    std::ifstream in{entry.path()};
    for (std::string line; std::getline(in, line); ++file.lines) {
      if (line.starts_with("#include ")) file.includes.push_back(line.substr(9));
    }
    out.push_back(std::move(file));
  }
  return out;
}

std::string room_of(const fs::path& path) {
  const auto relative = path.lexically_relative(fs::path(::dbackup::test::source_dir()) / "host");
  return relative.begin()->string();
}

TEST(Tree, HostFilesIncludeOnlyWhatTheirRoomMay) {
  size_t seen = 0;
  for (const auto& file : sources("host")) {
    const std::string room = room_of(file.path);
    if (!kMayInclude.contains(room)) {
      EXPECT_EQ(room, "main.cpp") << file.path << " lies in an unknown room";
      continue;
    }
    for (const auto& include : file.includes) {
      ++seen;
      if (include.starts_with("<dbackup/")) {
        EXPECT_TRUE(kSeesSdk.contains(room)) << file.path << " includes " << include;
      }
      if (!include.starts_with("\"")) continue;
      const std::string head = include.substr(1, include.find('/') - 1);
      if (head == room || !kMayInclude.contains(head)) continue;
      EXPECT_TRUE(kMayInclude.at(room).contains(head)) << file.path << " includes " << include;
    }
  }
  EXPECT_GT(seen, 100U);
}

TEST(Tree, PluginsAndSdkNeverSeeTheHost) {
  for (const char* folder : {"plugins", "sdk"}) {
    for (const auto& file : sources(folder)) {
      for (const auto& include : file.includes) {
        if (!include.starts_with("\"")) continue;
        const std::string head = include.substr(1, include.find('/') - 1);
        EXPECT_FALSE(kMayInclude.contains(head)) << file.path << " includes " << include;
      }
    }
  }
}

TEST(Tree, OnlyOneFileIncludesPistache) {
  std::vector<std::string> users;
  for (const auto& file : sources("host")) {
    for (const auto& include : file.includes) {
      if (include.starts_with("<pistache/")) {
        users.push_back(file.path.filename().string());
        break;
      }
    }
  }
  EXPECT_EQ(users, std::vector<std::string>{"http_server.cpp"});
}

TEST(Tree, OnlyTheStoreSpeaksSql) {
  for (const auto& file : sources("host")) {
    for (const auto& include : file.includes) {
      if (include.starts_with("<soci/")) {
        EXPECT_EQ(room_of(file.path), "store") << file.path;
      }
    }
  }
}

TEST(Tree, NoFileOutgrowsItsReader) {
  for (const char* folder : {"host", "sdk", "plugins", "tests"}) {
    for (const auto& file : sources(folder)) EXPECT_LE(file.lines, kMostLines) << file.path;
  }
}

TEST(Tree, TheTopLevelHoldsWhatTheMapSays) {
  const std::set<std::string> allowed{"CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md",
                                      "config", "host", "packaging", "plugins", "sdk", "tests", "build"};
  for (const auto& entry : fs::directory_iterator(::dbackup::test::source_dir())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".")) continue;
    EXPECT_TRUE(allowed.contains(name)) << name;
  }
}

}  // namespace
