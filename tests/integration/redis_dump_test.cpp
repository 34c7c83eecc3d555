#include <dbackup/testing/gtest.hpp>
#include <thread>

#include "tests/integration/redis_test_base.hpp"

namespace dbackup::testing {
namespace {

TEST_F(Redis, FulfilsTheConformanceChecks) {
  populate(server_, 3000, 800);
  Json unreachable = source_.config();
  unreachable["port"] = 1;
  PluginFile file{::dbackup::test::binary_dir() + "/lib/dbackup/plugins/redis.so"};
  for (const char* id : {"redis", "valkey"}) {
    server_.select(1);
    server_.run({"FLUSHDB"});
    server_.select(0);
    EXPECT_TRUE(conforms(file.adapter(id), {.config = source_.config(),
                                            .unreachable_config = unreachable,
                                            .prompt = std::chrono::milliseconds{1000},
                                            .database = "0",
                                            .restore_database = "1",
                                            .fingerprint =
                                                [&](const std::string& name) {
                                                  return server_.fingerprint(std::stoi(name));
                                                }}))
        << id;
  }
}

TEST_F(Redis, TestNamesTheVersionOfTheServer) {
  const Outcome ended = source_.test();
  ASSERT_TRUE(ended.ok()) << ended.text();
  EXPECT_EQ(ended.result.at("message"), "Connection successful");
  EXPECT_NE(server_.run({"INFO", "server"})
                .find("redis_version:" + ended.result.at("version").get<std::string>() + "\r\n"),
            std::string::npos);
}

TEST_F(Redis, SaysThatFlagsOfAProgramHaveNoEffect) {
  for (const char* options : {"", "--pipe"}) {
    source_.config()["options"] = options;
    FakeCall call;
    MemoryWriter out;
    ASSERT_TRUE(source_.dump(call, {{"database", "0"}}, out).ok());
    EXPECT_EQ(logged(call, "\"options\" have no effect"), *options != '\0');
  }
}

TEST_F(Redis, ListsAllDatabasesWithTheirKeyCounts) {
  server_.select(4);
  server_.run({"MSET", "a", "1", "b", "2"});
  ItemList items;
  ASSERT_TRUE(source_.list(items).ok());
  ASSERT_EQ(items.items().size(), 16U);
  EXPECT_EQ(items.items()[15].at("name"), "15");
  EXPECT_EQ(items.items()[4].at("tableCount"), 2);
  EXPECT_EQ(items.items()[0].at("tableCount"), 0);
}

TEST_F(Redis, AnotherServerStartsOnTheDumpWithTheSameContent) {
  fill(server_);
  const std::string dumped = source_.dump("0");
  RedisServer second{{.rdb = dumped}};
  EXPECT_EQ(second.fingerprint(), server_.fingerprint());
  EXPECT_EQ(second.run({"DEBUG", "DIGEST"}), server_.run({"DEBUG", "DIGEST"}));
}

TEST_F(Redis, DumpIsTheSameInBothFormsOfTheTransfer) {
  fill(server_);
  for (const char* diskless : {"yes", "no"}) {
    server_.run({"CONFIG", "SET", "repl-diskless-sync", diskless});
    const std::string dumped = source_.dump("0");
    server_.write("check.rdb", dumped);
    server_.run_program({"/usr/bin/redis-check-rdb", server_.folder() + "/check.rdb"});
    RedisServer second{{.rdb = dumped}};
    EXPECT_EQ(second.fingerprint(), server_.fingerprint()) << diskless;
  }
}

TEST_F(Redis, DumpOfAnEmptyServerIsWhole) {
  const std::string dumped = source_.dump("");
  RedisServer second{{.rdb = dumped}};
  EXPECT_EQ(second.run({"DBSIZE"}), "0");
}

TEST_F(Redis, DumpHoldsAllDatabasesWhicheverIsNamedAndSaysSo) {
  server_.run({"SET", "in zero", "0"});
  FakeCall call;
  MemoryWriter out;
  ASSERT_TRUE(source_.dump(call, {{"database", "7"}}, out).ok());
  EXPECT_TRUE(logged(call, "all databases"));
  EXPECT_NE(out.content().find("in zero"), std::string::npos);
}

TEST_F(Redis, DumpOfADatabaseThatTheServerLacksIsNotFound) {
  for (const char* name : {"16", "99", "zero", "-1", "007"}) {
    FakeCall call;
    MemoryWriter out;
    EXPECT_EQ(source_.dump(call, {{"database", name}}, out).status, DBACKUP_NOT_FOUND) << name;
    EXPECT_EQ(out.size(), 0U);
  }
}

TEST_F(Redis, WritersGoOnWhileADumpIsTaken) {
  populate(server_, 20'000, 500);
  const std::string before = server_.run({"DEBUG", "DIGEST"});
  FakeCall call;
  MemoryWriter out{{.most_bytes = 64 * 1024}};
  out.before_write([&](uint64_t nth) {
    if (nth < 20) server_.run({"SET", "written meanwhile", std::to_string(nth)});
  });
  ASSERT_TRUE(source_.dump(call, {{"database", "0"}}, out).ok());
  RedisServer second{{.rdb = out.content()}};
  EXPECT_EQ(second.run({"DBSIZE"}), "20000");
  EXPECT_EQ(second.run({"GET", "written meanwhile"}), "(nil)");
  EXPECT_EQ(second.run({"DEBUG", "DIGEST"}), before);
}

TEST_F(Redis, AServerKilledInTheMiddleMakesTheDumpFail) {
  populate(server_, 40'000, 1000);
  for (const char* diskless : {"yes", "no"}) {
    RedisServer doomed;
    populate(doomed, 40'000, 1000);
    doomed.run({"CONFIG", "SET", "repl-diskless-sync", diskless});
    SourceBench source{"redis", redis_config(doomed)};
    FakeCall call;
    MemoryWriter out{{.most_bytes = 64 * 1024}, 1};
    out.before_write([&](uint64_t nth) {
      if (nth == 5) doomed.kill();
    });
    const Outcome ended = source.dump(call, {{"database", "0"}}, out);
    EXPECT_EQ(ended.status, DBACKUP_UNAVAILABLE) << ended.text();
  }
}

TEST_F(Redis, CancelEndsAWaitForTheServer) {
  server_.run({"CONFIG", "SET", "repl-diskless-sync-delay", "60"});
  FakeCall call;
  MemoryWriter out;
  Stopwatch watch;
  std::thread other{[&] {
    while (call.questions() < 20) std::this_thread::yield();
    watch.restart();
    call.cancel();
  }};
  const Outcome ended = source_.dump(call, {{"database", "0"}}, out);
  other.join();
  EXPECT_EQ(ended.status, DBACKUP_CANCELLED) << ended.text();
  EXPECT_LT(watch.ms(), 500);
}

TEST_F(Redis, ADumpWithoutChecksumsIsTakenWithAWarning) {
  RedisServer plain{{.settings = {"rdbchecksum no"}}};
  plain.run({"SET", "a", "b"});
  SourceBench source{"redis", redis_config(plain)};
  FakeCall call;
  MemoryWriter out;
  ASSERT_TRUE(source.dump(call, {{"database", "0"}}, out).ok());
  EXPECT_TRUE(logged(call, "checksum"));
  server_.run({"FLUSHALL"});
  ASSERT_TRUE(source_.restore("", out.content()).ok());
  EXPECT_EQ(server_.run({"GET", "a"}), "b");
}

TEST_F(Redis, AReplicaGivesADumpToo) {
  RedisServer replica;
  server_.run({"SET", "k", "of the master"});
  replica.run({"REPLICAOF", "127.0.0.1", std::to_string(server_.plain_port())});
  ASSERT_TRUE(replica.wait_until({"INFO", "replication"}, "master_link_status:up"));
  SourceBench source{"redis", redis_config(replica)};
  EXPECT_NE(source.dump("0").find("of the master"), std::string::npos);
}

TEST_F(Redis, SomethingThatIsNoRedisServerIsToldSo) {
  RedisServer tls{{.tls = true}};
  Json config = redis_config(tls);  // without "tls"
  EXPECT_FALSE((SourceBench{"redis", config}.test().ok()));
}

}  // namespace
}  // namespace dbackup::testing
