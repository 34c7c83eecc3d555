#pragma once

// What every storage on a server has to do beyond the checks of the testing kit, against a real
// one. `Server` starts it and offers:
//
//   static constexpr const char* kPlugin;   bool kAtomic: do races for a name have one winner?
//   Json config();                          of an account whose files lie in root()
//   Json unreachable_config();              null: none
//   std::filesystem::path root();
//   void kill();  void restart();           as a crash; again on the same port
//   std::vector<uint64_t> sizes();          at the edges of its blocks

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <dbackup/testing/gtest.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/support/storage_bench.hpp"

namespace dbackup::testing {

/// Of this process, in MiB.
inline size_t resident_mib() {
  std::ifstream file{"/proc/self/statm"};
  size_t total = 0;
  size_t resident = 0;
  file >> total >> resident;
  return resident * 4096 / (1024 * 1024);
}

inline size_t files_below(const std::filesystem::path& folder) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{folder}) {
    count += entry.is_regular_file() ? 1U : 0U;
  }
  return count;
}

template <class Server>
class RemoteStorage : public ::testing::Test {
 protected:
  Server server_;
  StorageBench bench_{Server::kPlugin, server_.config()};
};

TYPED_TEST_SUITE_P(RemoteStorage);

TYPED_TEST_P(RemoteStorage, DoesWhatEveryStoragePromises) {
  EXPECT_TRUE(
      conforms(this->bench_.adapter(), {.config = this->server_.config(),
                                        .unreachable_config = this->server_.unreachable_config()}));
  EXPECT_EQ(files_below(this->server_.root()), 0U) << "the checks left something behind";
}

TYPED_TEST_P(RemoteStorage, SaysThatWritingAndRemovingWorkAndLeavesNoFile) {
  const Outcome outcome = this->bench_.test();
  ASSERT_TRUE(outcome.ok()) << outcome.text();
  EXPECT_TRUE(outcome.result.at("message").template get<std::string>().starts_with(
      "Connection successful (Write/Delete verified)"));
  EXPECT_EQ(files_below(this->server_.root()), 0U);
}

TYPED_TEST_P(RemoteStorage, WritesNothingWhenPinged) {
  ASSERT_TRUE(this->bench_.ping().ok());
  EXPECT_TRUE(std::filesystem::is_empty(this->server_.root()));
}

TYPED_TEST_P(RemoteStorage, KeepsEverySizeAtTheEdgesOfItsBlocks) {
  for (const uint64_t size : this->server_.sizes()) {
    const std::string path = "sizes/" + std::to_string(size);
    FakeCall call;
    GeneratedReader in{size};
    const Outcome stored = this->bench_.put(call, path, in);
    ASSERT_TRUE(stored.ok()) << size << ": " << stored.text();
    EXPECT_EQ(stored.result.at("size"), size);
    FakeCall reading;
    ComparingWriter out;
    const Outcome got = this->bench_.get(reading, {{"path", path}}, out);
    EXPECT_TRUE(got.ok()) << size << ": " << got.text();
    EXPECT_TRUE(out.equal() && out.size() == size) << size << " became " << out.size();
    if (size < 2) continue;
    FakeCall again;
    ComparingWriter part{size / 2};
    EXPECT_TRUE(
        this->bench_.get(again, {{"path", path}, {"offset", size / 2}, {"length", size}}, part)
            .ok());
    EXPECT_TRUE(part.equal() && part.size() == size - size / 2) << size;
  }
}

TYPED_TEST_P(RemoteStorage, ShowsWhatLiesOnTheServerByTheSameName) {
  for (const char* path : {"a b/c d.sql", "hash#/100% ?.sql", "Größe/резерв 备份.sql"}) {
    ASSERT_TRUE(this->bench_.put(path, path).ok()) << path;
    EXPECT_TRUE(std::filesystem::exists(this->server_.root() / path)) << path;
    EXPECT_EQ(this->bench_.content(path), path);
  }
  EXPECT_EQ(this->bench_.paths(),
            (std::set<std::string>{"a b/c d.sql", "hash#/100% ?.sql", "Größe/резерв 备份.sql"}));
}

TYPED_TEST_P(RemoteStorage, ListsTwoThousandFiles) {
  namespace fs = std::filesystem;
  std::set<std::string> wanted;
  for (int i = 0; i < 2000; ++i) {
    const std::string path = "job " + std::to_string(i % 4) + "/file-" + std::to_string(i) + ".sql";
    fs::create_directories((this->server_.root() / path).parent_path());
    std::ofstream{this->server_.root() / path} << i;
    wanted.insert(path);
  }
  EXPECT_EQ(this->bench_.paths(), wanted);
  EXPECT_EQ(this->bench_.paths("job 1").size(), 500U);
}

TYPED_TEST_P(RemoteStorage, StoresNothingWhenAPutIsAborted) {
  for (const uint64_t nth : {1U, 3U, 20U}) {
    FakeCall call;
    MemoryReader in{std::string(5'000'000, 'x'),
                    {.fail_at_call = nth, .status = DBACKUP_ABORTED, .most_bytes = 200'000}};
    EXPECT_EQ(this->bench_.put(call, "new/folder/a.sql", in).status, DBACKUP_ABORTED);
    EXPECT_EQ(files_below(this->server_.root()), 0U) << "failed at read " << nth;
    EXPECT_FALSE(std::filesystem::exists(this->server_.root() / "new"));
  }
  EXPECT_TRUE(this->bench_.paths().empty());
}

TYPED_TEST_P(RemoteStorage, EndsSoonAfterACancellation) {
  using Clock = std::chrono::steady_clock;
  FakeCall call;
  GeneratedReader in{uint64_t{1} << 40U};
  Clock::time_point told;
  in.before_read([&](uint64_t given) {
    if (given < 3'000'000 || call.cancelled()) return;
    told = Clock::now();
    call.cancel();
  });
  EXPECT_EQ(this->bench_.put(call, "job/a.sql", in).status, DBACKUP_CANCELLED);
  EXPECT_LT(Clock::now() - told, std::chrono::milliseconds{500});
  EXPECT_TRUE(this->bench_.paths().empty());
  // Half a second may be too short to log in once more and remove it: then its token finds it.
  EXPECT_TRUE(this->bench_.cleanup().ok());
  EXPECT_EQ(files_below(this->server_.root()), 0U);
}

TYPED_TEST_P(RemoteStorage, ShowsNothingOfAPutWhoseServerDied) {
  FakeCall call;
  GeneratedReader in{64'000'000};
  bool killed = false;
  in.before_read([&](uint64_t given) {
    if (given > 4'000'000 && !std::exchange(killed, true)) this->server_.kill();
  });
  const Outcome outcome = this->bench_.put(call, "job/a.sql", in, "died-1");
  EXPECT_EQ(outcome.status, DBACKUP_UNAVAILABLE) << outcome.text();
  this->server_.restart();
  EXPECT_TRUE(this->bench_.paths().empty());
  EXPECT_FALSE(this->bench_.stat("job/a.sql").result.value("exists", true));
  EXPECT_EQ(this->bench_.cleanup("died").result.value("removed", 9), 0) << "another token's";
  EXPECT_GT(files_below(this->server_.root()), 0U) << "the server died too late to test anything";
  EXPECT_EQ(this->bench_.cleanup("died-1").result.value("removed", 0), 1);
  EXPECT_EQ(files_below(this->server_.root()), 0U) << "cleanup left something";
  EXPECT_TRUE(this->bench_.put("job/a.sql", "later").ok());
}

TYPED_TEST_P(RemoteStorage, NeverMixesRacingPuts) {
  std::atomic<int> stored = 0;
  std::atomic<int> taken = 0;
  {
    std::vector<std::jthread> writers;
    for (int n = 0; n < 4; ++n) {
      writers.emplace_back([&, n] {
        const Outcome outcome =
            this->bench_.put("new/folder/a.bin", std::string(400'000, static_cast<char>('a' + n)),
                             "token-" + std::to_string(n));
        if (outcome.ok()) ++stored;
        if (outcome.status == DBACKUP_ALREADY_EXISTS) ++taken;
      });
    }
  }
  EXPECT_EQ(stored + taken, 4);
  if (TypeParam::kAtomic) {
    EXPECT_EQ(stored, 1);
  } else {
    EXPECT_GE(stored, 1);
  }
  EXPECT_EQ(files_below(this->server_.root()), 1U);
  const std::string content = this->bench_.content("new/folder/a.bin");
  EXPECT_EQ(content, std::string(400'000, content.at(0))) << "two puts were mixed";
}

TYPED_TEST_P(RemoteStorage, HidesPutsUnderWayAndKeepsTheirNames) {
  FakeCall call;
  GeneratedReader in{3'000'000};
  size_t seen = 0;
  in.before_read([&](uint64_t given) {
    if (given > 0 && given < 3'000'000) seen += this->bench_.paths().size();
  });
  ASSERT_TRUE(this->bench_.put(call, "job/a.sql", in).ok());
  EXPECT_EQ(seen, 0U);
  EXPECT_EQ(this->bench_.put(".dbackup/tmp/x", "x").status, DBACKUP_INVALID_ARGUMENT);
  EXPECT_EQ(this->bench_.stat(".dbackup/tmp/x").status, DBACKUP_INVALID_ARGUMENT);
}

TYPED_TEST_P(RemoteStorage, KeepsAGigabyteInLittleMemory) {
  if (std::getenv("DBACKUP_TEST_LONG") == nullptr) GTEST_SKIP() << "set DBACKUP_TEST_LONG to run";
  using Clock = std::chrono::steady_clock;
  constexpr uint64_t kSize = uint64_t{1} << 30U;
  ASSERT_TRUE(this->bench_.put("warm", "x").ok());
  const size_t before = resident_mib();
  size_t most = before;
  FakeCall call;
  GeneratedReader in{kSize};
  in.before_read([&](uint64_t) { most = std::max(most, resident_mib()); });
  const auto start = Clock::now();
  const Outcome stored = this->bench_.put(call, "large", in);
  const std::chrono::duration<double> put_time = Clock::now() - start;
  ASSERT_TRUE(stored.ok()) << stored.text();
  FakeCall reading;
  ComparingWriter out;
  const auto reading_from = Clock::now();
  EXPECT_TRUE(this->bench_.get(reading, {{"path", "large"}}, out).ok());
  const std::chrono::duration<double> get_time = Clock::now() - reading_from;
  most = std::max(most, resident_mib());
  EXPECT_TRUE(out.equal() && out.size() == kSize);
  EXPECT_LT(most - before, 24U) << "MiB more while 1 GiB went through";
  std::printf("put %.2f s, get %.2f s, %zu MiB more\n", put_time.count(), get_time.count(),
              most - before);
}

REGISTER_TYPED_TEST_SUITE_P(RemoteStorage, DoesWhatEveryStoragePromises,
                            SaysThatWritingAndRemovingWorkAndLeavesNoFile, WritesNothingWhenPinged,
                            KeepsEverySizeAtTheEdgesOfItsBlocks,
                            ShowsWhatLiesOnTheServerByTheSameName, ListsTwoThousandFiles,
                            StoresNothingWhenAPutIsAborted, EndsSoonAfterACancellation,
                            ShowsNothingOfAPutWhoseServerDied, NeverMixesRacingPuts,
                            HidesPutsUnderWayAndKeepsTheirNames, KeepsAGigabyteInLittleMemory);

}  // namespace dbackup::testing
