#include <sys/stat.h>

#include "crypto/age_keys.hpp"
#include "crypto/hash.hpp"
#include "tests/integration/worker/worker_fixture.hpp"

namespace dbackup::test {
namespace {

using testing::HasSubstr;

TEST(BackupRun, LeavesNothingWhenTheDumpFails) {
  TemporaryFolder one, two;
  WorkerSession worker;
  const auto done = worker.run(
      "backup", backup_of(probe_source({{"failAfter", 2'000'000}}),
                          {destination("one", local_storage(one.path())),
                           destination("two", probe_storage({{"basePath", two.path()}}))},
                          "ZSTD"));
  EXPECT_FALSE(done.ok);
  EXPECT_EQ(done.data.at("message"), "the probe failed as asked");
  EXPECT_TRUE(files_in(one.path()).empty());
  EXPECT_TRUE(files_in(two.path()).empty());
}

TEST(BackupRun, LeavesNothingWhenItIsCancelled) {
  for (const char* when :
       {"Initializing", "reserve", "Dumping Databases", "hanging", "Uploading", "Verifying"}) {
    TemporaryFolder one, two;
    WorkerSession worker;
    Json source = probe_source({{"bytes", 5'000'000}});
    if (when == std::string{"hanging"}) source = probe_source({{"hangAfter", 500'000}});
    worker.send("backup",
                backup_of(source, {destination("one", local_storage(one.path())),
                                   destination("two", probe_storage({{"basePath", two.path()}}))}));
    const auto done = worker.finish([&](const Event& event) {
      const bool now = (event.kind == EventKind::Stage && event.data.at("name") == when) ||
                       (event.kind == EventKind::Log && event.data.at("message") == when) ||
                       (event.kind == EventKind::Reserve && when == std::string{"reserve"});
      if (now) worker.cancel();
    });
    // The last stages may win the race; then everything must be there.
    if (done.ok) {
      EXPECT_EQ(files_in(one.path()).size(), 2U) << when;
      EXPECT_EQ(files_in(two.path()).size(), 2U) << when;
    } else {
      EXPECT_EQ(done.data.at("code"), 1) << when << done.data;
      EXPECT_TRUE(files_in(one.path()).empty()) << when;
      EXPECT_TRUE(files_in(two.path()).empty()) << when;
    }
  }
}

TEST(BackupRun, GoesOnWithoutADestinationThatFailsAtAnyCall) {
  bool fired = true;
  int nth = 1;
  for (; fired && nth < 40; ++nth) {
    TemporaryFolder good, bad;
    WorkerSession worker;
    const auto done = worker.run(
        "backup",
        backup_of(probe_source({{"bytes", 400'000}}),
                  {destination("bad", probe_storage({{"basePath", bad.path()}, {"failCall", nth}})),
                   destination("good", local_storage(good.path()))}));
    ASSERT_TRUE(done.ok) << nth << done.data;
    const Json& results = done.data.at("destinations");
    fired = !results[0].at("success").get<bool>();
    EXPECT_TRUE(results[1].at("success").get<bool>()) << nth;
    EXPECT_EQ(files_in(good.path()).size(), 2U) << nth;
    if (fired) {
      EXPECT_EQ(results[0].at("error"), "the probe failed as asked") << nth;
      EXPECT_TRUE(files_in(bad.path()).empty()) << "failed at call " << nth;
    } else {
      EXPECT_EQ(files_in(bad.path()).size(), 2U);
    }
  }
  EXPECT_GT(nth, 8) << "the loop must have reached put, confirmation and sidecar";
  EXPECT_FALSE(fired);
}

TEST(BackupRun, ReportsEachDestinationWhenAllFail) {
  TemporaryFolder one, two;
  WorkerSession worker;
  const auto done = worker.run(
      "backup",
      backup_of(probe_source({{"bytes", 5'000'000}}),
                {destination("one", probe_storage({{"basePath", one.path()}, {"failCall", 4}})),
                 destination("two", probe_storage({{"basePath", two.path()}, {"failCall", 5}}))}));
  ASSERT_TRUE(done.ok) << done.data;
  for (const Json& result : done.data.at("destinations")) {
    EXPECT_FALSE(result.at("success").get<bool>());
    EXPECT_EQ(result.at("error"), "the probe failed as asked");
  }
  EXPECT_TRUE(files_in(one.path()).empty());
  EXPECT_TRUE(files_in(two.path()).empty());
}

TEST(BackupRun, CatchesADestinationThatReportsWhatItDidNotRead) {
  TemporaryFolder good, bad;
  WorkerSession worker;
  const auto done = worker.run(
      "backup",
      backup_of(
          probe_source({{"bytes", 400'000}}),
          {destination("bad", probe_storage({{"basePath", bad.path()}, {"behaviour", "shortPut"}})),
           destination("good", local_storage(good.path()))}));
  ASSERT_TRUE(done.ok) << done.data;
  EXPECT_THAT(done.data.at("destinations")[0].at("error").get<std::string>(),
              HasSubstr("org.dbackup.test.probe"));
  EXPECT_TRUE(files_in(bad.path()).empty());
}

TEST(BackupRun, KeepsAForeignFileThatAppearsAtItsPath) {
  TemporaryFolder raced;
  WorkerSession second;
  second.send("backup", backup_of(probe_source({{"hangAfter", 1000}}),
                                  {destination("a", local_storage(raced.path()))}));
  const auto cancelled = second.finish([&](const Event& event) {
    if (event.kind != EventKind::Log || event.data.at("message") != "hanging") return;
    std::filesystem::create_directories(raced / "job");
    std::ofstream{raced / "job/2026-01-02.sql"} << "foreign";
    second.cancel();
  });
  EXPECT_FALSE(cancelled.ok);
  EXPECT_EQ(read_file(raced / "job/2026-01-02.sql"), "foreign");
}

/// A stored backup and what restores it.
class RestoreRun : public testing::Test {
 protected:
  void store(bool sealed) {
    Json request = backup_of(probe_source({{"bytes", 2'000'000}}),
                             {destination("a", local_storage(store_.path()))}, "ZSTD");
    if (sealed) request["recipients"] = {identity_.recipient().to_string()};
    const auto done = worker_.run("backup", request);
    ASSERT_TRUE(done.ok) << done.data;
    path_ = text_of(done.data, "path");
    sha256_ = text_of(done.data, "sha256");
  }
  WorkerSession::Outcome restore(const Json& extra, Json source_config = Json::object()) {
    Json file{{"storage", local_storage(store_.path())}, {"path", path_}};
    file.update(extra);
    source_config["restoreTo"] = work_ / "restored";
    return worker_.run("restore", {{"file", file}, {"source", probe_source(source_config)}});
  }
  bool restored() const { return std::filesystem::exists(work_ / "restored"); }
  void damage(std::streamoff at) {
    const std::string file = store_ / path_;
    ::chmod(file.c_str(), 0600);
    std::fstream bytes{file, std::ios::in | std::ios::out | std::ios::binary};
    bytes.seekp(at);
    bytes.put('!');
  }

  TemporaryFolder store_, work_;
  WorkerSession worker_;
  host::AgeIdentity identity_ = host::AgeIdentity::generate();
  std::string path_, sha256_;
};

TEST_F(RestoreRun, AsksForAKeyItDoesNotHave) {
  store(true);
  const std::string other{host::AgeIdentity::generate().to_string().reveal()};
  for (const Json& identities : {Json::array(), Json::array({other})}) {
    const auto done = restore({{"identities", identities}});
    EXPECT_FALSE(done.ok);
    EXPECT_EQ(done.data.at("code"), 9);
    EXPECT_EQ(done.data.at("reason"), "encryption_key_required");
  }
  EXPECT_FALSE(restored());
}

TEST_F(RestoreRun, TriesEveryIdentity) {
  store(true);
  const std::string other{host::AgeIdentity::generate().to_string().reveal()};
  EXPECT_TRUE(restore({{"identities", {other, std::string{identity_.to_string().reveal()}}}}).ok);
  EXPECT_TRUE(restored());
}

TEST_F(RestoreRun, GivesNoEndOfFileForADamagedFile) {
  store(false);
  damage(20'000);
  EXPECT_FALSE(restore({{"sha256", sha256_}}).ok);
  EXPECT_FALSE(restored());
}

TEST_F(RestoreRun, GivesNoEndOfFileForAnotherHash) {
  store(false);
  const auto done = restore({{"sha256", std::string(64, '0')}});
  EXPECT_FALSE(done.ok);
  EXPECT_EQ(done.data.at("code"), 15);
  EXPECT_FALSE(restored());
}

TEST_F(RestoreRun, GivesNoEndOfFileForATruncatedFile) {
  store(true);
  std::filesystem::resize_file(store_ / path_, std::filesystem::file_size(store_ / path_) / 2);
  EXPECT_FALSE(restore({{"identities", {std::string{identity_.to_string().reveal()}}}}).ok);
  EXPECT_FALSE(restored());
}

TEST_F(RestoreRun, ChecksTheRestWhenASourceStopsReading) {
  store(false);
  EXPECT_TRUE(restore({{"sha256", sha256_}}, {{"behaviour", "restoreNothing"}}).ok);
  EXPECT_FALSE(restore({{"sha256", std::string(64, '0')}}, {{"behaviour", "restoreNothing"}}).ok);
}

TEST_F(RestoreRun, FindsCompressionAndSealUnderAnyName) {
  store(true);
  std::filesystem::rename(store_ / path_, store_ / "renamed");
  path_ = "renamed";
  const auto done = restore({{"identities", {std::string{identity_.to_string().reveal()}}}});
  EXPECT_TRUE(done.ok) << done.data;
  EXPECT_EQ(std::filesystem::file_size(work_ / "restored"), 2'000'000U);
}

TEST_F(RestoreRun, SaysWhenThereIsNoSuchFile) {
  path_ = "job/absent.sql";
  EXPECT_EQ(restore(Json::object()).data.at("code"), 5);
}

TEST(FetchRun, EndsWhenItsReaderIsGone) {
  TemporaryFolder store;
  std::ofstream{store / "big"} << std::string(8'000'000, 'x');
  WorkerSession worker;
  worker.close_bulk();
  const auto done =
      worker.run("fetch", {{"file", {{"storage", local_storage(store.path())}, {"path", "big"}}}});
  EXPECT_FALSE(done.ok);
  EXPECT_EQ(done.data.at("code"), 1);
}

TEST(FetchRun, IsCancelledWhileItsReaderSleeps) {
  TemporaryFolder store;
  std::ofstream{store / "big"} << std::string(8'000'000, 'x');
  WorkerSession worker;
  worker.send("fetch", {{"file", {{"storage", local_storage(store.path())}, {"path", "big"}}}});
  const auto done = worker.finish([&](const Event& event) {
    if (event.kind == EventKind::Start) worker.cancel();
  });
  EXPECT_FALSE(done.ok);
  EXPECT_EQ(done.data.at("code"), 1);
}

TEST(FetchRun, RefusesARangeBehindTheEnd) {
  TemporaryFolder store;
  std::ofstream{store / "small"} << "0123456789";
  WorkerSession worker;
  const Json file{{"storage", local_storage(store.path())}, {"path", "small"}};
  std::string bytes;
  EXPECT_TRUE(worker.fetch({{"file", file}, {"offset", 10}}, bytes).ok);
  EXPECT_EQ(worker.fetch({{"file", file}, {"offset", 11}}, bytes).data.at("reason"), "range");
  EXPECT_TRUE(worker.fetch({{"file", file}, {"offset", 8}, {"length", 100}}, bytes).ok);
  EXPECT_EQ(bytes, "89");
}

}  // namespace
}  // namespace dbackup::test
