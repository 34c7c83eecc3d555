#include <dbackup/testing/gtest.hpp>

#include "tests/integration/redis_test_base.hpp"

namespace dbackup::testing {
namespace {

class RedisRestore : public Redis {
 protected:
  RedisServer target_server_;
  SourceBench target_{"redis", redis_config(target_server_)};

  Outcome restore(const Json& request, const std::string& dumped, FakeCall& call) {
    MemoryReader in{dumped, {.most_bytes = 10'007}};
    return target_.restore(call, request, in);
  }
  /// From now on the target is restored into as somebody who may do everything but these.
  void log_in_without(const std::vector<std::string>& rights) {
    std::vector<std::string> words{"ACL", "SETUSER", "few", "reset", "on", ">pw", "~*", "+@all"};
    words.insert(words.end(), rights.begin(), rights.end());
    target_server_.run(words);
    target_.config()["username"] = "few";
    target_.config()["password"] = "pw";
  }
};

TEST_F(RedisRestore, BringsEveryTypeAndEncodingBack) {
  fill(server_);
  const std::string dumped = source_.dump("0");
  FakeCall call;
  const Outcome ended = restore({{"database", ""}}, dumped, call);
  ASSERT_TRUE(ended.ok()) << ended.text();
  EXPECT_EQ(target_server_.fingerprint(), server_.fingerprint());
  EXPECT_EQ(target_server_.run({"DEBUG", "DIGEST"}), server_.run({"DEBUG", "DIGEST"}));
  EXPECT_EQ(target_server_.run({"FCALL", "f", "0"}), "ok");
  EXPECT_TRUE(logged(call, "function libraries"));
}

TEST_F(RedisRestore, ReplacesWhatTheTargetHolds) {
  server_.run({"SET", "a", "new"});
  const std::string dumped = source_.dump("0");
  target_server_.run({"MSET", "a", "old", "b", "old"});
  target_server_.select(9);
  target_server_.run({"SET", "elsewhere", "old"});
  ASSERT_TRUE(target_.restore("", dumped).ok());
  EXPECT_EQ(target_server_.fingerprint(), server_.fingerprint());
}

TEST_F(RedisRestore, MergesWhenToldTo) {
  server_.run({"SET", "a", "new"});
  const std::string dumped = source_.dump("0");
  target_server_.run({"MSET", "a", "old", "b", "old"});
  target_.config()["restoreMode"] = "merge";
  ASSERT_TRUE(target_.restore("", dumped).ok());
  EXPECT_EQ(target_server_.run({"MGET", "a", "b"}), "new\nold\n");
}

TEST_F(RedisRestore, UnderAnotherNameOnlyThatDatabaseIsTouched) {
  fill(server_);
  const std::string dumped = source_.dump("3");
  target_server_.run({"SET", "zero", "stays"});
  target_server_.select(5);
  target_server_.run({"SET", "five", "goes"});
  FakeCall call;
  ASSERT_TRUE(restore({{"database", "5"}, {"originalName", "3"}}, dumped, call).ok());
  EXPECT_EQ(target_server_.fingerprint(5), server_.fingerprint(3));
  EXPECT_EQ(target_server_.run({"GET", "zero"}), "stays");
  EXPECT_EQ(target_server_.run({"DBSIZE"}), "1");
  EXPECT_EQ(target_server_.run({"FUNCTION", "LIST"}), "");
  EXPECT_TRUE(logged(call, "of other databases were left out"));
}

TEST_F(RedisRestore, ADatabaseThatIsNamedWithoutAnOriginIsTheOneOfThatNumber) {
  fill(server_);
  const std::string dumped = source_.dump("");
  target_server_.run({"SET", "zero", "stays"});
  for (const char* original : {"", "15"}) {
    FakeCall call;
    ASSERT_TRUE(restore({{"database", "15"}, {"originalName", original}}, dumped, call).ok());
    EXPECT_EQ(target_server_.fingerprint(15), server_.fingerprint(15));
    EXPECT_EQ(target_server_.run({"KEYS", "*"}), "zero\n");
  }
}

TEST_F(RedisRestore, ADatabaseThatTheTargetLacksLeavesTheKeysOfTheOthersAlone) {
  RedisServer large{{.settings = {"databases 64"}}};
  large.select(20);
  large.run({"MSET", "clash", "of twenty", "other", "of twenty"});
  const std::string only_twenty = SourceBench{"redis", redis_config(large)}.dump("0");
  large.select(3);
  large.run({"SET", "three", "of three"});
  const std::string both = SourceBench{"redis", redis_config(large)}.dump("0");
  for (const int database : {0, 3}) {
    target_server_.select(database);
    target_server_.run({"SET", "clash", "precious"});
  }
  target_server_.select(0);
  const std::string before = target_server_.fingerprint();
  for (const char* mode : {"merge", "replace-all"}) {
    target_.config()["restoreMode"] = mode;
    const Outcome refused = target_.restore("", only_twenty);
    EXPECT_EQ(refused.status, DBACKUP_NOT_FOUND) << mode << ": " << refused.text();
    EXPECT_NE(refused.message.find("\"20\""), std::string::npos) << refused.message;
    EXPECT_EQ(target_server_.fingerprint(), before) << mode;
  }
  target_.config()["restoreMode"] = "merge";
  EXPECT_EQ(target_.restore("", both).status, DBACKUP_NOT_FOUND);
  target_server_.select(3);
  EXPECT_EQ(target_server_.run({"MGET", "clash", "other", "three"}), "precious\n(nil)\nof three\n");
}

TEST_F(RedisRestore, MissingRightsChangeNothing) {
  fill(server_);
  const std::string dumped = source_.dump("0");
  server_.run({"FUNCTION", "FLUSH"});
  const std::string without_functions = source_.dump("0");
  target_server_.run({"SET", "precious", "1"});
  target_server_.run({"FUNCTION", "LOAD",
                      "#!lua name=old\nredis.register_function('o', function() return 1 end)"});
  const std::string before = target_server_.fingerprint();
  struct Case {
    std::string right;
    std::string database;
    std::string words;
  };
  for (const Case& missing :
       {Case{"-function", "", "+function"}, Case{"-flushall", "", "+flushall"},
        Case{"-function|restore", "", "+function"}, Case{"-flushdb", "3", "+flushdb"},
        Case{"-select", "", "+select"}, Case{"-select", "3", "+select"},
        Case{"-restore", "3", "+restore"}}) {
    for (const char* rehearsing : {"+multi", "-multi"}) {
      log_in_without({missing.right, rehearsing});
      const Outcome refused = target_.restore(missing.database, dumped);
      const std::string which = missing.right + " " + rehearsing + ": ";
      EXPECT_EQ(refused.status, DBACKUP_PERMISSION_DENIED) << which << refused.text();
      EXPECT_EQ(target_server_.fingerprint(), before) << which;
      // Who may not rehearse hears the server's own words about a flush.
      const bool is_own = *rehearsing == '+' || missing.right.find("flush") == std::string::npos;
      EXPECT_TRUE(!is_own || refused.message.find(missing.words) != std::string::npos)
          << which << refused.message;
    }
  }
  // What a plan does not need is not asked for.
  log_in_without({"-flushall", "-function"});
  EXPECT_TRUE(target_.restore("3", dumped).ok()) << target_.restore("3", dumped).text();
  EXPECT_EQ(target_server_.fingerprint(3), server_.fingerprint(3));
  EXPECT_EQ(target_server_.run({"GET", "precious"}), "1");
  log_in_without({"-flushdb", "-function", "-multi"});
  EXPECT_TRUE(target_.restore("", without_functions).ok());
  EXPECT_EQ(target_server_.run({"EXISTS", "precious"}), "0");
}

TEST_F(RedisRestore, ANewerBackupIsRefusedWhereTheServerMayNotBeAskedForItsFormat) {
  server_.run({"SET", "a", "b"});
  std::string newer = source_.dump("0");
  newer.replace(5, 4, "0011");  // of Redis 7.2
  target_server_.run({"SET", "precious", "1"});
  const std::string before = target_server_.fingerprint();
  log_in_without({"-function"});
  const Outcome refused = target_.restore("", newer);
  EXPECT_EQ(refused.status, DBACKUP_FAILED_PRECONDITION) << refused.text();
  EXPECT_NE(refused.message.find("(its own is 10)"), std::string::npos) << refused.message;
  EXPECT_EQ(target_server_.fingerprint(), before);
}

TEST_F(RedisRestore, ALentPasswordAloneLogsInTheDefaultUser) {
  server_.run({"SET", "k", "v"});
  const std::string dumped = source_.dump("0");
  log_in_without({"-restore"});
  target_server_.run({"CONFIG", "SET", "requirepass", "root"});
  const Json lent{{"password", "root"}};
  FakeCall call;
  const Outcome ended = restore({{"database", ""}, {"privileged", lent}}, dumped, call);
  EXPECT_TRUE(ended.ok()) << ended.text();
  EXPECT_EQ(target_server_.run({"GET", "k"}), "v");
  EXPECT_TRUE(target_.prepare({{"databases", {"0"}}, {"privileged", lent}}).ok());
  const Json wrong{{"user", ""}, {"password", "wrong"}};
  EXPECT_EQ(target_.prepare({{"databases", {"0"}}, {"privileged", wrong}}).status,
            DBACKUP_UNAUTHENTICATED);
}

TEST_F(RedisRestore, KeysThatExpiredMeanwhileAreLeftOutAndCounted) {
  server_.run({"SET", "stays", "1"});
  server_.run({"DEBUG", "SET-ACTIVE-EXPIRE", "0"});  // it stays in the dump
  server_.run({"SET", "goes", "1", "PX", "1"});
  const std::string dumped = source_.dump("0");
  FakeCall call;
  ASSERT_TRUE(restore({{"database", ""}}, dumped, call).ok());
  EXPECT_EQ(target_server_.run({"KEYS", "*"}), "stays\n");
  EXPECT_TRUE(logged(call, "1 had expired"));
}

TEST_F(RedisRestore, HowOftenAndHowLongAgoKeysWereUsedComesBack) {
  for (const char* policy : {"allkeys-lfu", "allkeys-lru"}) {
    server_.run({"FLUSHALL"});
    server_.run({"CONFIG", "SET", "maxmemory-policy", policy});
    server_.run({"CONFIG", "SET", "lfu-log-factor", "0"});
    target_server_.run({"CONFIG", "SET", "maxmemory-policy", policy});
    server_.run({"SET", "k", "v"});
    for (int i = 0; i < 50; ++i) server_.run({"GET", "k"});
    const bool by_use = std::string{policy} == "allkeys-lfu";
    const std::string what = by_use ? "FREQ" : "IDLETIME";
    ASSERT_TRUE(by_use || server_.wait_until({"OBJECT", "IDLETIME", "k"}, "2"));
    const std::string dumped = source_.dump("0");
    ASSERT_TRUE(target_.restore("", dumped).ok());
    const int wanted = std::stoi(server_.run({"OBJECT", what, "k"}));
    EXPECT_GE(wanted, by_use ? 40 : 2);
    EXPECT_NEAR(std::stoi(target_server_.run({"OBJECT", what, "k"})), wanted, 1) << policy;
  }
}

TEST_F(RedisRestore, AnRdbOfRedisCliIsTakenToo) {
  fill(server_);
  const std::string file = server_.folder() + "/cli.rdb";
  server_.run_program({"/usr/bin/redis-cli", "-p", std::to_string(server_.port()), "--rdb", file});
  ASSERT_TRUE(target_.restore("", file_content(file)).ok());
  EXPECT_EQ(target_server_.fingerprint(), server_.fingerprint());
}

TEST_F(RedisRestore, ACutOrDamagedBackupFails) {
  fill(server_);
  const std::string dumped = source_.dump("0");
  for (const size_t cut :
       {size_t{1}, size_t{9}, size_t{100}, dumped.size() / 2, dumped.size() - 5}) {
    const Outcome ended = target_.restore("", dumped.substr(0, dumped.size() - cut));
    EXPECT_FALSE(ended.ok()) << "without the last " << cut << " bytes";
    EXPECT_TRUE(ended.status == DBACKUP_DATA_LOSS || ended.status == DBACKUP_INVALID_ARGUMENT)
        << ended.text();
  }
  for (size_t at = 100; at < dumped.size(); at += dumped.size() / 23) {
    std::string damaged = dumped;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    EXPECT_FALSE(target_.restore("", damaged).ok()) << "with another byte " << at;
  }
  EXPECT_EQ(target_.restore("", dumped + "x").status, DBACKUP_DATA_LOSS);
}

TEST_F(RedisRestore, NothingIsChangedByWhatIsNoBackupOrOfANewerVersion) {
  target_server_.run({"SET", "precious", "1"});
  const std::string before = target_server_.fingerprint();
  server_.run({"SET", "a", "b"});
  std::string newer = source_.dump("0");
  newer.replace(5, 4, "0099");
  const Outcome refused = target_.restore("", newer);
  EXPECT_EQ(refused.status, DBACKUP_FAILED_PRECONDITION) << refused.text();
  EXPECT_NE(refused.message.find("99"), std::string::npos) << refused.message;
  EXPECT_NE(refused.message.find("(its own is 10)"), std::string::npos) << refused.message;
  const std::string valkey = "VALKEY080" + source_.dump("0").substr(9);
  EXPECT_EQ(target_.restore("", valkey).status, DBACKUP_FAILED_PRECONDITION);
  for (const std::string& garbage : {std::string{"REDIS"}, std::string(300'000, 'x')}) {
    EXPECT_EQ(target_.restore("", garbage).status, DBACKUP_INVALID_ARGUMENT);
  }
  EXPECT_EQ(target_server_.fingerprint(), before);
}

TEST_F(RedisRestore, AValueAboveTheLimitIsRefusedByName) {
  server_.run({"SET", "the large one", noise(3'000'000)});
  const std::string dumped = source_.dump("0");
  target_.config()["maxValueMiB"] = 2;
  const Outcome ended = target_.restore("", dumped);
  EXPECT_EQ(ended.status, DBACKUP_RESOURCE_EXHAUSTED);
  EXPECT_NE(ended.message.find("the large one"), std::string::npos) << ended.message;
  EXPECT_NE(ended.message.find("maxValueMiB"), std::string::npos) << ended.message;
  target_.config()["maxValueMiB"] = 3;
  EXPECT_TRUE(target_.restore("", dumped).ok());
}

TEST_F(RedisRestore, AServerKilledInTheMiddleMakesTheRestoreFail) {
  populate(server_, 40'000, 1000);
  const std::string dumped = source_.dump("0");
  FakeCall call;
  MemoryReader in{dumped, {.most_bytes = 64 * 1024}};
  in.before_read([&](uint64_t nth) {
    if (nth == 50) target_server_.kill();
  });
  const Outcome ended = target_.restore(call, {{"database", ""}}, in);
  EXPECT_EQ(ended.status, DBACKUP_UNAVAILABLE) << ended.text();
}

TEST_F(RedisRestore, AFullServerIsNamedAsTheReason) {
  populate(server_, 20'000, 1000);
  const std::string dumped = source_.dump("0");
  target_server_.run({"CONFIG", "SET", "maxmemory", "8mb"});
  EXPECT_EQ(target_.restore("", dumped).status, DBACKUP_RESOURCE_EXHAUSTED);
  target_server_.run({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
  const Outcome evicted = target_.restore("", dumped);
  EXPECT_EQ(evicted.status, DBACKUP_RESOURCE_EXHAUSTED);
  EXPECT_NE(evicted.message.find("maxmemory"), std::string::npos) << evicted.message;
}

TEST_F(RedisRestore, PreparingChangesNothingAndSaysWhatStandsInTheWay) {
  target_server_.run({"SET", "precious", "1"});
  const std::string before = target_server_.fingerprint();
  EXPECT_TRUE(target_.prepare({{"databases", {"0"}}}).ok());
  EXPECT_EQ(target_.prepare({{"databases", {"16"}}}).status, DBACKUP_NOT_FOUND);

  target_server_.run({"ACL", "SETUSER", "few", "on", ">pw", "~*", "+@all", "-restore"});
  target_.config()["username"] = "few";
  target_.config()["password"] = "pw";
  const Outcome by_hand = target_.prepare({{"databases", {"0"}}});
  EXPECT_EQ(by_hand.status, DBACKUP_PERMISSION_DENIED) << by_hand.text();
  for (const std::string& part : {std::string{"stop the server"}, std::string{"\"few\""},
                                  target_server_.folder() + "/dump.rdb"}) {
    EXPECT_NE(by_hand.message.find(part), std::string::npos) << by_hand.message;
  }
  target_server_.run({"ACL", "SETUSER", "few", "+restore", "-flushall"});
  EXPECT_TRUE(target_.prepare({{"databases", {"0"}}}).ok());
  EXPECT_EQ(target_.prepare({{"databases", Json::array()}}).status, DBACKUP_PERMISSION_DENIED);
  target_server_.run({"ACL", "SETUSER", "few", "+flushall", "-flushdb"});
  EXPECT_TRUE(target_.prepare({{"databases", Json::array()}}).ok());
  EXPECT_EQ(target_.prepare({{"databases", {"0"}}}).status, DBACKUP_PERMISSION_DENIED);
  target_.config()["restoreMode"] = "merge";
  EXPECT_TRUE(target_.prepare({{"databases", {"0"}}}).ok());

  // Another login lent for the restore.
  target_server_.run({"ACL", "SETUSER", "few", "-restore"});
  target_server_.run({"ACL", "SETUSER", "all", "on", ">root", "~*", "+@all"});
  EXPECT_TRUE(
      target_
          .prepare({{"databases", {"0"}}, {"privileged", {{"user", "all"}, {"password", "root"}}}})
          .ok());
  EXPECT_EQ(target_server_.fingerprint(), before);
}

TEST_F(RedisRestore, AReplicaOrANodeOfAClusterIsRefused) {
  server_.run({"SET", "a", "b"});
  const std::string dumped = source_.dump("0");
  target_server_.run({"REPLICAOF", "127.0.0.1", std::to_string(server_.port())});
  EXPECT_EQ(target_.restore("", dumped).status, DBACKUP_FAILED_PRECONDITION);
  // By itself the port of the cluster would be 10,000 above the server's, which may not exist.
  RedisServer node{
      {.settings = {"cluster-enabled yes", "cluster-port " + std::to_string(free_port())}}};
  SourceBench cluster{"redis", redis_config(node)};
  EXPECT_EQ(cluster.prepare({{"databases", {"0"}}}).status, DBACKUP_FAILED_PRECONDITION);
  EXPECT_EQ(cluster.restore("", dumped).status, DBACKUP_FAILED_PRECONDITION);
}

}  // namespace
}  // namespace dbackup::testing
