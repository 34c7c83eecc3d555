#include <dbackup/testing/gtest.hpp>
#include <fstream>
#include <thread>

#include "tests/integration/postgres_test_base.hpp"
#include "tests/support/visible_processes.hpp"

namespace dbackup::testing {
namespace {

using ::testing::Test;

TEST_F(Postgres, FulfilsTheConformanceChecks) {
  create("conform", many_rows(30'000));
  Json unreachable = source_.config();
  unreachable["port"] = 1;
  EXPECT_TRUE(conforms(source_.adapter(), {.config = source_.config(),
                                           .unreachable_config = unreachable,
                                           .prompt = std::chrono::milliseconds{1000},
                                           .database = "conform",
                                           .restore_database = "conform copy",
                                           .fingerprint = [&](const std::string& name) {
                                             return server_.fingerprint(name);
                                           }}));
}

TEST_F(Postgres, TestNamesTheVersionOfTheServer) {
  const Outcome ended = source_.test();
  ASSERT_TRUE(ended.ok()) << ended.text();
  const std::string full = server_.sql("postgres", "SHOW server_version");
  EXPECT_EQ(ended.result.at("version"), full.substr(0, full.find(' ')));
}

TEST_F(Postgres, TestRefusesAWrongPasswordWithoutShowingIt) {
  source_.config()["password"] = "not-the-password";
  const Outcome ended = source_.test();
  EXPECT_EQ(ended.status, DBACKUP_UNAUTHENTICATED) << ended.text();
  EXPECT_EQ((ended.message + ended.detail).find("not-the-password"), std::string::npos);
  EXPECT_NE(ended.message.find("password authentication failed"), std::string::npos)
      << ended.message;
  EXPECT_EQ(ended.message.find("28P01"), std::string::npos) << ended.message;
  EXPECT_EQ(ended.message.find(".c:"), std::string::npos) << ended.message;
}

TEST_F(Postgres, ListsDatabasesWithSizesAndTableCounts) {
  create("listed x", "CREATE TABLE a (i int); CREATE SCHEMA s; CREATE TABLE s.b (i int)");
  ItemList items;
  ASSERT_TRUE(source_.list(items).ok());
  bool found = false;
  for (const Json& item : items.items()) {
    EXPECT_NE(item.at("name"), "template1");
    if (item.at("name") != "listed x") continue;
    found = true;
    EXPECT_EQ(item.at("tableCount"), 2);
    EXPECT_GT(item.at("sizeInBytes").get<int64_t>(), 1'000'000);
  }
  EXPECT_TRUE(found);
}

TEST_F(Postgres, DumpOfAMissingDatabaseIsNotFound) {
  FakeCall call;
  MemoryWriter out;
  const Outcome ended = source_.dump(call, {{"database", "nowhere"}}, out);
  EXPECT_EQ(ended.status, DBACKUP_NOT_FOUND);
  EXPECT_NE(ended.message.find("nowhere"), std::string::npos) << ended.message;
  EXPECT_EQ(out.size(), 0U);
}

TEST_F(Postgres, DumpIsCompressedOnlyWhenTheHostDoesNotOrAsked) {
  create("levels",
         "CREATE TABLE t AS SELECT 'find-me-in-clear'::text AS x FROM generate_series(1,5000)");
  const auto clear = [](const std::string& dumped) {
    return dumped.find("find-me-in-clear") != std::string::npos;
  };
  EXPECT_TRUE(clear(source_.dump("levels")));
  EXPECT_FALSE(clear(source_.dump("levels", Json::object(), false)));
  EXPECT_TRUE(clear(source_.dump("levels", {{"pgCompression", "NONE"}}, false)));
  EXPECT_FALSE(clear(source_.dump("levels", {{"pgCompression", "GZIP:9"}})));
}

TEST_F(Postgres, DumpSaysWhetherItIsCompressedAlready) {
  create("answered");
  for (const bool by_host : {true, false}) {
    FakeCall call;
    MemoryWriter out;
    const Outcome ended =
        source_.dump(call, {{"database", "answered"}, {"compressedByHost", by_host}}, out);
    ASSERT_TRUE(ended.ok()) << ended.text();
    EXPECT_EQ(ended.result.at("alreadyCompressed"), !by_host);
    EXPECT_EQ(ended.result.at("engineVersion").get<std::string>().substr(0, 3),
              server_.sql("postgres", "SHOW server_version").substr(0, 3));
  }
}

TEST_F(Postgres, CompressionTheToolDoesNotKnowIsRefusedByName) {
  FakeCall call;
  MemoryWriter out;
  const Outcome ended = source_.dump(
      call, {{"database", "postgres"}, {"options", {{"pgCompression", "ZSTD:3"}}}}, out);
  EXPECT_EQ(ended.status, DBACKUP_INVALID_ARGUMENT);
  EXPECT_NE(ended.message.find("pg_dump 16"), std::string::npos) << ended.message;
  EXPECT_NE(ended.message.find("version 15"), std::string::npos) << ended.message;
}

TEST_F(Postgres, UserFlagsReachTheTool) {
  create("filtered", "CREATE TABLE wanted (i int); CREATE TABLE \"not this\" (i int)");
  source_.config()["options"] = "--exclude-table='\"not this\"' -v";
  const std::string dumped = source_.dump("filtered");
  EXPECT_NE(dumped.find("wanted"), std::string::npos);
  EXPECT_EQ(dumped.find("not this"), std::string::npos);
}

TEST_F(Postgres, DumpEndsWithTheToolsWordsWhenItsSessionIsTerminated) {
  create("killed", many_rows(200'000));
  FakeCall call;
  MemoryWriter out{{.most_bytes = 64 * 1024}, 1};
  out.before_write([&](uint64_t nth) {
    if (nth != 3) return;
    server_.sql("postgres",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'killed'");
  });
  const Outcome ended =
      source_.dump(call, {{"database", "killed"}, {"compressedByHost", true}}, out);
  EXPECT_EQ(ended.status, DBACKUP_ABORTED) << ended.text();
  EXPECT_NE(ended.message.find("pg_dump failed with exit code 1"), std::string::npos)
      << ended.message;
  // Whether the server's own farewell still fits into the full socket is a matter of luck.
  EXPECT_TRUE(ended.message.find("terminating connection") != std::string::npos ||
              ended.message.find("closed the connection") != std::string::npos)
      << ended.message;
}

TEST_F(Postgres, DumpFailsNamingTheTableItMayNotRead) {
  create("guarded",
         "CREATE TABLE open_to_all (i int); GRANT SELECT ON open_to_all TO PUBLIC;"
         "CREATE TABLE closed_table (i int);"
         "CREATE ROLE reader LOGIN PASSWORD 'reader'");
  source_.config()["user"] = "reader";
  source_.config()["password"] = "reader";
  FakeCall call;
  MemoryWriter out;
  const Outcome ended = source_.dump(call, {{"database", "guarded"}}, out);
  EXPECT_FALSE(ended.ok());
  EXPECT_NE(ended.message.find("closed_table"), std::string::npos) << ended.message;
}

TEST_F(Postgres, CancelledDumpEndsAtOnceAndLeavesNoSession) {
  create("cancelled", many_rows(200'000));
  FakeCall call;
  MemoryWriter out{{.most_bytes = 64 * 1024}, 1};
  Stopwatch since;
  out.before_write([&](uint64_t nth) {
    if (nth != 2) return;
    since.restart();
    call.cancel();
  });
  const Outcome ended =
      source_.dump(call, {{"database", "cancelled"}, {"compressedByHost", true}}, out);
  EXPECT_LT(since.ms(), 1000);
  EXPECT_EQ(ended.status, DBACKUP_CANCELLED) << ended.text();
  EXPECT_TRUE(server_.wait_until("postgres", kOurSessions, "0"));
}

TEST_F(Postgres, DumpWaitingForALockIsCancelledAtOnce) {
  create("locked", "CREATE TABLE t (i int)");
  std::thread holder{[&] {
    try {
      server_.sql("locked", "BEGIN; LOCK TABLE t; SELECT pg_sleep(60)");
    } catch (const std::exception&) {  // ended below
    }
  }};
  const std::string lock =
      "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
      " WHERE c.relname = 't' AND l.mode = 'AccessExclusiveLock'";
  EXPECT_TRUE(server_.wait_until("locked", lock, "1"));
  FakeCall call;
  MemoryWriter out;
  Outcome ended;
  std::thread dumping{[&] { ended = source_.dump(call, {{"database", "locked"}}, out); }};
  EXPECT_TRUE(server_.wait_until(
      "postgres", "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "1"));
  const Stopwatch since;
  call.cancel();
  dumping.join();
  EXPECT_LT(since.ms(), 1000);
  EXPECT_EQ(ended.status, DBACKUP_CANCELLED) << ended.text();
  EXPECT_TRUE(server_.wait_until("postgres", kOurSessions, "0"));
  server_.sql("postgres",
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
              " WHERE query LIKE '%pg_sleep(60)' AND pid <> pg_backend_pid()");
  holder.join();
}

TEST_F(Postgres, ThePasswordIsInNoCommandLineAndNoEnvironment) {
  server_.sql("postgres", "CREATE ROLE shy SUPERUSER LOGIN PASSWORD 'plain-secret-4711'");
  source_.config()["user"] = "shy";
  source_.config()["password"] = "plain-secret-4711";
  create("secretive", many_rows(100'000));
  std::string seen;
  FakeCall call;
  MemoryWriter out{{.most_bytes = 64 * 1024}};
  out.before_write([&](uint64_t nth) {
    if (nth == 2) seen += visible_to_others();
  });
  ASSERT_TRUE(
      source_.dump(call, {{"database", "secretive"}, {"compressedByHost", true}}, out).ok());
  EXPECT_NE(seen.find("pg_dump"), std::string::npos);
  seen.clear();
  FakeCall restoring;
  MemoryReader in{out.content(), {.most_bytes = 64 * 1024}};
  in.before_read([&](uint64_t nth) {
    if (nth == 20) seen = visible_to_others();
  });
  ASSERT_TRUE(source_.restore(restoring, {{"database", "secretive copy"}}, in).ok());
  EXPECT_NE(seen.find("pg_restore"), std::string::npos);
  EXPECT_EQ(seen.find("plain-secret"), std::string::npos);
}

TEST_F(Postgres, AMissingToolIsNamed) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  FakeCall call;
  MemoryWriter out;
  const Outcome ended = source_.dump(call, {{"database", "postgres"}}, out);
  const Outcome tested = source_.test();
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(ended.status, DBACKUP_NOT_FOUND);
  EXPECT_NE(ended.message.find("pg_dump"), std::string::npos) << ended.message;
  EXPECT_EQ(tested.status, DBACKUP_NOT_FOUND) << tested.text();
}

}  // namespace
}  // namespace dbackup::testing
