#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <dbackup/testing/gtest.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "plugin_under_test.hpp"

namespace dbackup::tests {
namespace {

namespace fs = std::filesystem;
using testing::FakeCall;
using testing::ItemList;
using testing::MemoryReader;
using testing::MemoryWriter;
using testing::Outcome;
using testing::StorageInstance;

class LocalFilesystem : public ::testing::Test {
 protected:
  StorageInstance open(Json config = Json::object()) {
    if (!config.contains("basePath")) config["basePath"] = base_.string();
    Outcome outcome;
    auto out = StorageInstance::open(table_, config, outcome);
    EXPECT_TRUE(outcome.ok()) << outcome.text();
    return out;
  }
  Outcome put(const StorageInstance& storage, const std::string& path,
              const std::string& content = "x", const std::string& token = "token-1") {
    FakeCall call;
    MemoryReader in{content};
    return storage.run(table_.put, call, {{"path", path}, {"token", token}}, in);
  }
  Outcome get(const StorageInstance& storage, const std::string& path,
              std::string* content = nullptr) {
    FakeCall call;
    MemoryWriter out;
    const Outcome outcome = storage.run(table_.get, call, {{"path", path}}, out);
    if (content != nullptr) *content = out.content();
    return outcome;
  }
  Outcome ask(decltype(dbackup_storage::stat) function, const StorageInstance& storage,
              const Json& request) {
    FakeCall call;
    return storage.run(function, call, request);
  }
  std::vector<Json> list(const StorageInstance& storage, const std::string& prefix = "") {
    FakeCall call;
    ItemList items;
    const Outcome outcome = storage.run(table_.list, call, {{"prefix", prefix}}, items);
    EXPECT_TRUE(outcome.ok()) << outcome.text();
    log_ = call.log_lines();
    return items.items();
  }
  static void write(const fs::path& path, const std::string& content) {
    fs::create_directories(path.parent_path());
    std::ofstream{path} << content;
  }
  size_t files_below(const fs::path& folder) {
    const auto all = fs::recursive_directory_iterator{folder};
    return static_cast<size_t>(
        std::count_if(begin(all), end(all), [](const auto& e) { return e.is_regular_file(); }));
  }

  TempFolder temp_;
  fs::path base_ = temp_.path() / "base";
  testing::PluginFile plugin_ = built_plugin("local-filesystem");
  const dbackup_storage& table_ =
      *testing::table_of<dbackup_storage>(plugin_.adapter("local-filesystem"), DBACKUP_EXT_STORAGE);
  std::vector<testing::LogLine> log_;
};

TEST_F(LocalFilesystem, DoesWhatEveryStoragePromises) {
  EXPECT_TRUE(testing::conforms(plugin_.adapter("local-filesystem"),
                                {.config = Json{{"basePath", base_.string()}}}));
  EXPECT_TRUE(fs::is_empty(base_)) << "the checks left something behind";
}

TEST_F(LocalFilesystem, SaysThatReadingAndWritingWorkAndLeavesNothing) {
  const auto storage = open();
  FakeCall call;
  EXPECT_EQ(storage.test(call).result.at("message"),
            "Access to " + base_.string() + " verified (Read/Write)");
  EXPECT_TRUE(fs::is_empty(base_));
}

TEST_F(LocalFilesystem, ReachesAMissingBaseOnlyToWrite) {
  const auto storage = open();
  EXPECT_EQ(ask(table_.ping, storage, Json::object()).status, DBACKUP_NOT_FOUND);
  FakeCall call;
  ItemList items;
  EXPECT_EQ(storage.run(table_.list, call, Json::object(), items).status, DBACKUP_NOT_FOUND);
  EXPECT_FALSE(fs::exists(base_));
  EXPECT_TRUE(put(storage, "a/b.bin").ok());
  EXPECT_TRUE(ask(table_.ping, storage, Json::object()).ok());
}

TEST_F(LocalFilesystem, NeverFollowsALinkBelowItsBase) {
  write(temp_.path() / "outside/secret", "secret");
  write(base_ / "real/file", "inside");
  fs::create_directory_symlink(temp_.path() / "outside", base_ / "out");
  fs::create_directory_symlink("real", base_ / "in");
  fs::create_symlink(temp_.path() / "outside/secret", base_ / "link");
  const auto storage = open();
  for (const char* path : {"out/secret", "in/file", "link"}) {
    std::string content;
    EXPECT_EQ(get(storage, path, &content).status, DBACKUP_PERMISSION_DENIED) << path;
    EXPECT_EQ(content, "");
  }
  EXPECT_EQ(put(storage, "out/new").status, DBACKUP_PERMISSION_DENIED);
  EXPECT_EQ(put(storage, "link").status, DBACKUP_ALREADY_EXISTS);
  EXPECT_EQ(ask(table_.remove, storage, {{"path", "out/secret"}}).status,
            DBACKUP_PERMISSION_DENIED);
  EXPECT_FALSE(ask(table_.remove, storage, {{"path", "link"}}).result.value("removed", true));
  EXPECT_TRUE(fs::exists(temp_.path() / "outside/secret"));
  const auto found = list(storage);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].at("path"), "real/file");
}

TEST_F(LocalFilesystem, FollowsALinkThatIsTheBaseItself) {
  fs::create_directories(temp_.path() / "disk");
  fs::create_directory_symlink(temp_.path() / "disk", base_);
  EXPECT_TRUE(put(open(), "a").ok());
  EXPECT_TRUE(fs::exists(temp_.path() / "disk/a"));
}

TEST_F(LocalFilesystem, RefusesABaseInsideAForbiddenFolder) {
  const fs::path hidden = temp_.path() / "private";
  write(hidden / "keys/master", "key");
  fs::create_directory_symlink(hidden / "keys", temp_.path() / "alias");
  for (const auto& base : {hidden, hidden / "keys", hidden / "new/deep", temp_.path() / "alias"}) {
    const auto storage =
        open({{"basePath", base.string()}, {"$forbiddenPaths", {hidden.string()}}});
    EXPECT_EQ(put(storage, "x").status, DBACKUP_PERMISSION_DENIED) << base;
    FakeCall call;
    EXPECT_EQ(storage.test(call).status, DBACKUP_PERMISSION_DENIED) << base;
    if (fs::exists(base)) {
      EXPECT_EQ(get(storage, "master").status, DBACKUP_PERMISSION_DENIED) << base;
    }
  }
  EXPECT_FALSE(fs::exists(hidden / "new")) << "a folder was made inside a forbidden one";
  EXPECT_EQ(files_below(hidden), 1u);
}

TEST_F(LocalFilesystem, HidesAForbiddenFolderBelowItsBase) {
  write(base_ / "data/private/keys/master", "key");
  write(base_ / "data/fine", "fine");
  const auto storage = open({{"$forbiddenPaths", {(base_ / "data/private").string()}}});
  EXPECT_EQ(get(storage, "data/private/keys/master").status, DBACKUP_PERMISSION_DENIED);
  EXPECT_EQ(put(storage, "data/private/keys/new").status, DBACKUP_PERMISSION_DENIED);
  EXPECT_EQ(put(storage, "data/private/other/new").status, DBACKUP_PERMISSION_DENIED);
  EXPECT_EQ(ask(table_.remove, storage, {{"path", "data/private/keys/master"}}).status,
            DBACKUP_PERMISSION_DENIED);
  const auto found = list(storage);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].at("path"), "data/fine");
  FakeCall call;
  ItemList folders;
  EXPECT_TRUE(storage.run(table_.browse, call, {{"path", "data"}}, folders).ok());
  EXPECT_TRUE(folders.items().empty());
  EXPECT_EQ(files_below(base_), 2u);
}

TEST_F(LocalFilesystem, RemovesWhatACrashLeftOfThatTokenAlone) {
  write(base_ / "job/.dbackup-token-1.part", "half");
  write(base_ / "gone/deep/.dbackup-token-1.1.part", "half");
  write(base_ / "job/.dbackup-token-12.part", "of another put");
  write(base_ / "job/kept.bin", "whole");
  const auto storage = open();
  EXPECT_EQ(list(storage).size(), 1u) << "an unfinished object is listed";
  EXPECT_EQ(ask(table_.cleanup, storage, {{"token", "token-1"}}).result.at("removed"), 2);
  EXPECT_TRUE(fs::exists(base_ / "job/.dbackup-token-12.part"));
  EXPECT_TRUE(fs::exists(base_ / "job/kept.bin"));
  EXPECT_FALSE(fs::exists(base_ / "gone")) << "the empty folders were left";
  EXPECT_EQ(ask(table_.cleanup, storage, {{"token", "../x"}}).status, DBACKUP_INVALID_ARGUMENT);
}

TEST_F(LocalFilesystem, WritesBesideWhatACrashLeft) {
  write(base_ / "job/.dbackup-token-1.part", "half");
  const auto storage = open();
  ASSERT_TRUE(put(storage, "job/a.bin", "whole").ok());
  std::string content;
  ASSERT_TRUE(get(storage, "job/a.bin", &content).ok());
  EXPECT_EQ(content, "whole");
}

TEST_F(LocalFilesystem, TakesNothingForAnObjectThatIsNoFile) {
  fs::create_directories(base_ / "folder");
  ASSERT_EQ(::mkfifo((base_ / "fifo").c_str(), 0600), 0);
  const auto storage = open();
  for (const char* path : {"folder", "fifo"}) {
    EXPECT_EQ(get(storage, path).status, DBACKUP_NOT_FOUND) << path;
    EXPECT_FALSE(ask(table_.stat, storage, {{"path", path}}).result.value("exists", true)) << path;
    EXPECT_FALSE(ask(table_.remove, storage, {{"path", path}}).result.value("removed", true))
        << path;
  }
  EXPECT_TRUE(list(storage).empty());
  ASSERT_TRUE(put(storage, "file").ok());
  EXPECT_EQ(put(storage, "file/below").status, DBACKUP_FAILED_PRECONDITION);
  EXPECT_EQ(get(storage, "file/below").status, DBACKUP_NOT_FOUND);
}

TEST_F(LocalFilesystem, LeavesOutNamesNoRequestCouldSpell) {
  write(base_ / "bad\xFFname", "x");
  write(base_ / "good", "x");
  EXPECT_EQ(list(open()).size(), 1u);
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_EQ(log_[0].level, LogLevel::Warning);
}

TEST_F(LocalFilesystem, NamesAFolderItCannotLookInto) {
  std::string deep;
  for (int i = 0; i < 300; ++i) deep += "d/";  // deeper than anything is looked into
  fs::create_directories(base_ / deep);
  const auto items = list(open());
  ASSERT_EQ(items.size(), 1U);
  EXPECT_TRUE(items[0].value("unreadable", false)) << items[0];
}

TEST_F(LocalFilesystem, RemovesEmptyFoldersWithTheirLastObjectAndKeepsTheBase) {
  const auto storage = open();
  ASSERT_TRUE(put(storage, "a/b/c/one").ok());
  ASSERT_TRUE(put(storage, "a/two").ok());
  EXPECT_TRUE(ask(table_.remove, storage, {{"path", "a/b/c/one"}}).ok());
  EXPECT_FALSE(fs::exists(base_ / "a/b"));
  EXPECT_TRUE(ask(table_.remove, storage, {{"path", "a/two"}}).ok());
  EXPECT_TRUE(fs::is_empty(base_));
}

TEST_F(LocalFilesystem, LetsNobodyElseReadWhatItStores) {
  ASSERT_TRUE(put(open(), "job/a.bin").ok());
  EXPECT_EQ(fs::status(base_ / "job/a.bin").permissions() & fs::perms::others_all, fs::perms::none);
  EXPECT_EQ(fs::status(base_ / "job").permissions() & fs::perms::others_all, fs::perms::none);
}

TEST_F(LocalFilesystem, LetsOneOfManyRacingPutsWin) {
  std::atomic<int> stored = 0;
  std::atomic<int> taken = 0;
  {
    std::vector<std::jthread> writers;
    for (int n = 0; n < 8; ++n) {
      writers.emplace_back([&, n] {
        const auto storage = open();
        const Outcome outcome =
            put(storage, "new/folder/a.bin", std::string(400'000, static_cast<char>('a' + n)),
                "token-" + std::to_string(n));
        if (outcome.ok()) ++stored;
        if (outcome.status == DBACKUP_ALREADY_EXISTS) ++taken;
      });
    }
  }
  EXPECT_EQ(stored, 1);
  EXPECT_EQ(taken, 7);
  EXPECT_EQ(files_below(base_), 1u);
  std::string content;
  ASSERT_TRUE(get(open(), "new/folder/a.bin", &content).ok());
  EXPECT_EQ(content, std::string(400'000, content.at(0))) << "two puts were mixed";
}

TEST_F(LocalFilesystem, KeepsAFolderThatAnotherPutNeeds) {
  // A put that fails removes the folders it made; one that starts meanwhile must not lose its
  // place.
  std::atomic<int> failed = 0;
  {
    std::vector<std::jthread> workers;
    for (int n = 0; n < 4; ++n) {
      workers.emplace_back([&, n] {
        const auto storage = open();
        for (int round = 0; round < 40; ++round) {
          const std::string path = "shared/deep/" + std::to_string(n) + "-" + std::to_string(round);
          if (n % 2 == 0) {
            FakeCall call;
            MemoryReader in{std::string(1000, 'x'), {.fail_at_call = 1}};
            (void)storage.run(table_.put, call,
                              {{"path", path}, {"token", "t" + std::to_string(n)}}, in);
          } else if (!put(storage, path, "x", "t" + std::to_string(n)).ok() ||
                     !ask(table_.remove, storage, {{"path", path}})
                          .result.value("removed", false)) {
            ++failed;
          }
        }
      });
    }
  }
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(files_below(base_), 0u);
}

/// A file system of 4 MiB; skips the test where this process may not mount.
class FullDisk : public LocalFilesystem {
 protected:
  void SetUp() override {
    fs::create_directories(base_);
    mounted_ =
        ::mount("dbackup-test", base_.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "size=4m") == 0;
    if (!mounted_) GTEST_SKIP() << "no right to mount a small file system";
  }
  void TearDown() override {
    if (mounted_) ::umount2(base_.c_str(), MNT_DETACH);
  }
  bool mounted_ = false;
};

TEST_F(FullDisk, IsNamedAndLeavesNothing) {
  const auto storage = open();
  const Outcome outcome = put(storage, "job/big.bin", std::string(8 * 1024 * 1024, 'x'));
  EXPECT_EQ(outcome.status, DBACKUP_RESOURCE_EXHAUSTED);
  EXPECT_EQ(
      outcome.message,
      "\"" + base_.string() + "\" is full: cannot store \"job/big.bin\": No space left on device");
  EXPECT_TRUE(fs::is_empty(base_));
  EXPECT_TRUE(put(storage, "job/small.bin", std::string(1024 * 1024, 'x')).ok());
}

}  // namespace
}  // namespace dbackup::tests
