#include "tests/e2e/scenario.hpp"
#include "tests/support/redis_server.hpp"

namespace dbackup::testing {
namespace {

class RedisRuns : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!RedisServer::installed()) GTEST_SKIP() << "no Redis server is installed";
  }
  void SetUp() override {
    redis_.run({"SET", "key \xF0\x9F\x98\x80 \"quoted\"", std::string{"\0\xFF\r\n", 4}});
    redis_.run({"SET", "later", "x", "PXAT", "4102444800123"});
    redis_.run({"XADD", "stream", "1-1", "f", "v"});
    redis_.run({"XGROUP", "CREATE", "stream", "g", "0"});
    redis_.select(9);
    for (int i = 0; i < 500; ++i) redis_.run({"ZADD", "scores", std::to_string(i), "m" + std::to_string(i)});
    redis_.select(0);
    redis_.run({"CONFIG", "SET", "requirepass", "e2e-secret-word"});
    redis_.run({"AUTH", "e2e-secret-word"});
    source_ = make_source("redis", {});
  }
  std::string make_source(const std::string& id, Json more) {
    Json config{{"host", "127.0.0.1"}, {"port", redis_.port()}, {"password", "e2e-secret-word"}};
    if (more.is_object()) config.update(more);
    return s_.server.create_adapter("database", id, config);
  }
  std::string back_up(const std::string& source) { return s_.back_up({{"sourceId", source}}).at("path").get<std::string>(); }
  Answer restore(const std::string& path, const std::string& source, Json fields = Json::object()) {
    fields["file"] = path;
    fields["targetSourceId"] = source;
    return s_.server.post("/api/storage/" + s_.destination + "/restore", fields);
  }
  Json restored(const Answer& answer) {
    EXPECT_EQ(answer.status, 202) << answer.body;
    return answer.status == 202 ? s_.server.wait_for(answer.json().at("executionId").get<std::string>()) : Json::object();
  }

  Scenario s_;
  RedisServer redis_;
  std::string source_;
};

TEST_F(RedisRuns, ABackupBringsTheWholeServerBack) {
  const std::string before = redis_.fingerprint();
  for (const std::string& source : {source_, make_source("valkey", {})}) {
    const std::string path = back_up(source);
    EXPECT_TRUE(path.ends_with(".rdb.zst.age")) << path;
    EXPECT_EQ(s_.server.files(s_.destination)[0].at("engineVersion").get<std::string>().substr(0, 2), "7.");
    redis_.run({"FLUSHALL"});
    redis_.run({"SET", "made since", "1"});
    const Json run = restored(restore(path, source));
    ASSERT_EQ(run.at("status"), "Success") << run.dump(1);
    EXPECT_EQ(redis_.fingerprint(), before);
    EXPECT_EQ(run.dump().find("e2e-secret-word"), std::string::npos);
  }
  EXPECT_EQ(s_.server.log().find("e2e-secret-word"), std::string::npos);
}

TEST_F(RedisRuns, OneDatabaseComesBackAloneWhenItIsNamed) {
  const std::string path = back_up(source_);
  const std::string nine = redis_.fingerprint(9);
  redis_.run({"FLUSHALL"});
  redis_.run({"SET", "made since", "1"});
  const Json run = restored(restore(path, source_, {{"targetDatabaseName", "9"}}));
  ASSERT_EQ(run.at("status"), "Success") << run.dump(1);
  EXPECT_EQ(redis_.fingerprint(9), nine);
  EXPECT_EQ(redis_.run({"KEYS", "*"}), "made since\n");
}

TEST_F(RedisRuns, WhatAPersonHasToDoIsSaidBeforeAnythingIsChanged) {
  const std::string path = back_up(source_);
  redis_.run({"ACL", "SETUSER", "weak", "on", ">pw", "~*", "+@all", "-restore"});
  const std::string weak = make_source("redis", {{"username", "weak"}, {"password", "pw"}});
  const std::string before = redis_.fingerprint();
  const Answer answer = restore(path, weak);
  const std::string said = answer.status == 202 ? restored(answer).dump() : answer.body;
  EXPECT_NE(said.find("stop the server"), std::string::npos) << said;
  EXPECT_NE(said.find("dump.rdb"), std::string::npos) << said;
  EXPECT_EQ(redis_.fingerprint(), before);
}

}  // namespace
}  // namespace dbackup::testing
