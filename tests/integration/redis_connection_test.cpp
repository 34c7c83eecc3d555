#include <dbackup/testing/gtest.hpp>

#include "tests/integration/redis_test_base.hpp"

namespace dbackup::testing {
namespace {

class RedisTls : public Redis {
 protected:
  RedisServer tls_{{.settings = {"tls-auth-clients no", "tls-replication yes"},
                    .tls = true,
                    .certificate_names = "DNS:localhost,IP:127.0.0.1"}};
  SourceBench secure_{"redis", tls_config()};

  Json tls_config() const {
    Json out = redis_config(tls_);
    out["tls"] = true;
    out["tlsRootCert"] = file_content(tls_.certificates().authority);
    return out;
  }
};

TEST_F(RedisTls, DumpAndRestoreGoThroughAnEncryptedConnection) {
  fill(server_);
  const std::string dumped = source_.dump("0");
  const Outcome ended = secure_.restore("", dumped);
  ASSERT_TRUE(ended.ok()) << ended.text();
  EXPECT_EQ(tls_.fingerprint(), server_.fingerprint());
  const std::string again = secure_.dump("0");
  server_.run({"FLUSHALL"});
  ASSERT_TRUE(source_.restore("", again).ok());
  EXPECT_EQ(server_.fingerprint(), tls_.fingerprint());
}

TEST_F(RedisTls, ACertificateIsCheckedAgainstTheNameAndTheAuthority) {
  for (const char* host : {"localhost", "127.0.0.1"}) {
    secure_.config()["host"] = host;
    EXPECT_TRUE(secure_.test().ok()) << host << ": " << secure_.test().text();
  }
  RedisServer other{
      {.settings = {"tls-auth-clients no"}, .tls = true, .certificate_names = "DNS:redis.example"}};
  secure_.config()["port"] = other.port();
  const Outcome foreign = secure_.test();  // another authority
  EXPECT_EQ(foreign.status, DBACKUP_FAILED_PRECONDITION) << foreign.text();
  EXPECT_NE(foreign.message.find("certificate"), std::string::npos) << foreign.message;
  secure_.config()["tlsRootCert"] = file_content(other.certificates().authority);
  for (const char* host : {"localhost", "127.0.0.1"}) {
    secure_.config()["host"] = host;
    const Outcome misnamed = secure_.test();
    EXPECT_EQ(misnamed.status, DBACKUP_FAILED_PRECONDITION) << misnamed.text();
    EXPECT_NE(misnamed.message.find("mismatch"), std::string::npos) << misnamed.message;
  }
  secure_.config()["tlsVerify"] = false;
  EXPECT_TRUE(secure_.test().ok());
  secure_.config().erase("tlsVerify");
  secure_.config()["tlsVerify"] = true;
  secure_.config()["tlsRootCert"] = "";  // the system's do not know it
  EXPECT_EQ(secure_.test().status, DBACKUP_FAILED_PRECONDITION);
}

TEST_F(RedisTls, AClientCertificateIsShownWhenTheServerWantsOne) {
  RedisServer strict{{.tls = true}};
  secure_.config()["port"] = strict.port();
  secure_.config()["tlsRootCert"] = file_content(strict.certificates().authority);
  const Outcome without = secure_.test();
  EXPECT_EQ(without.status, DBACKUP_FAILED_PRECONDITION) << without.text();
  secure_.config()["tlsClientCert"] = file_content(strict.certificates().client);
  EXPECT_EQ(secure_.test().status, DBACKUP_INVALID_ARGUMENT);  // without its key
  secure_.config()["tlsClientKey"] = file_content(strict.certificates().client_key);
  EXPECT_TRUE(secure_.test().ok()) << secure_.test().text();
  secure_.config()["tlsClientKey"] = file_content(strict.certificates().server_key);
  const Outcome mixed = secure_.test();
  EXPECT_EQ(mixed.status, DBACKUP_INVALID_ARGUMENT);
  EXPECT_NE(mixed.message.find("tlsClientKey"), std::string::npos) << mixed.message;
}

TEST_F(RedisTls, AServerWithoutTlsIsToldFromOneThatIsNotThere) {
  secure_.config()["port"] = server_.port();
  const Outcome ended = secure_.test();
  EXPECT_FALSE(ended.ok());
  EXPECT_NE(ended.message.find("TLS"), std::string::npos) << ended.message;
}

constexpr const char* kSecret = "s3cr:et 'p\"w \xF0\x9F\x94\x91";

TEST_F(Redis, LogsInWithAUserOrWithThePasswordAlone) {
  server_.run({"ACL", "SETUSER", "back-up", "on", std::string{">"} + kSecret, "~*", "+@all"});
  source_.config()["username"] = "back-up";
  source_.config()["password"] = kSecret;
  EXPECT_TRUE(source_.test().ok()) << source_.test().text();
  source_.config()["password"] = "wrong-password";
  const Outcome wrong = source_.test();
  EXPECT_EQ(wrong.status, DBACKUP_UNAUTHENTICATED) << wrong.text();
  EXPECT_EQ((wrong.message + wrong.detail).find("wrong-password"), std::string::npos);

  server_.run({"CONFIG", "SET", "requirepass", kSecret});
  source_.config().erase("username");
  EXPECT_EQ(source_.test().status, DBACKUP_UNAUTHENTICATED);
  source_.config()["password"] = kSecret;
  EXPECT_TRUE(source_.test().ok());
  source_.config()["username"] = "default";
  EXPECT_TRUE(source_.test().ok());
  source_.config().erase("username");
  source_.config().erase("password");
  EXPECT_EQ(source_.test().status, DBACKUP_UNAUTHENTICATED);
}

TEST_F(Redis, APasswordIsNotRepeatedByAServerThatKnowsNoAuth) {
  RedisServer odd{{.settings = {"rename-command AUTH \"\""}}};
  SourceBench source{"redis", redis_config(odd)};
  source.config()["username"] = "u";
  source.config()["password"] = "must-stay-hidden";
  const Outcome ended = source.test();
  EXPECT_EQ(ended.status, DBACKUP_UNAUTHENTICATED) << ended.text();
  EXPECT_EQ((ended.message + ended.detail).find("must-stay-hidden"), std::string::npos)
      << ended.message;
}

TEST_F(Redis, ADumpNeedsFewRightsAndNamesThemWhenTheyAreMissing) {
  server_.run({"SET", "k", "v"});
  server_.run({"ACL", "SETUSER", "b", "on", ">pw", "+info", "+ping"});
  source_.config()["username"] = "b";
  source_.config()["password"] = "pw";
  FakeCall call;
  MemoryWriter out;
  const Outcome refused = source_.dump(call, {{"database", "0"}}, out);
  EXPECT_EQ(refused.status, DBACKUP_PERMISSION_DENIED) << refused.text();
  EXPECT_NE(refused.message.find("+psync"), std::string::npos) << refused.message;
  server_.run({"ACL", "SETUSER", "b", "+psync"});
  EXPECT_FALSE(source_.dump("0").empty());  // by way of the server's disk
  server_.run({"ACL", "SETUSER", "b", "-psync", "+sync", "+replconf"});
  EXPECT_FALSE(source_.dump("0").empty());
  EXPECT_TRUE(source_.test().ok());
}

TEST_F(Redis, ARestoreNeedsNoMoreThanItSays) {
  server_.run({"SET", "k", "v"});
  const std::string dumped = source_.dump("0");
  server_.run({"ACL", "SETUSER", "r", "on", ">pw", "~*", "+ping", "+info", "+select", "+restore",
               "+flushall", "+function"});
  source_.config()["username"] = "r";
  source_.config()["password"] = "pw";
  const Outcome ended = source_.restore("", dumped);
  EXPECT_TRUE(ended.ok()) << ended.text();
  EXPECT_EQ(server_.run({"GET", "k"}), "v");
}

class RedisSentinel : public Redis {
 protected:
  RedisServer replica_{
      {.settings = {"replicaof 127.0.0.1 " + std::to_string(server_.plain_port())}}};
  RedisServer sentinel_{{.settings = {"sentinel monitor main 127.0.0.1 " +
                                          std::to_string(server_.plain_port()) + " 1",
                                      "sentinel down-after-milliseconds main 1000",
                                      "sentinel failover-timeout main 3000", "requirepass watch"},
                         .sentinel = true}};
  SourceBench by_name_{
      "redis",
      {{"mode", "sentinel"},
       {"host", "not-used.invalid"},
       {"sentinelMasterName", "main"},
       {"sentinelPassword", "watch"},
       {"sentinelNodes", "127.0.0.1:1, 127.0.0.1:" + std::to_string(sentinel_.plain_port())}}};
};

TEST_F(RedisSentinel, TheMasterIsFoundAndFoundAgainAfterAFailover) {
  ASSERT_TRUE(replica_.wait_until({"INFO", "replication"}, "master_link_status:up"));
  server_.run({"SET", "k", "v"});
  // A replica may get writes only a second after it is in step; the master is killed before that.
  ASSERT_TRUE(replica_.wait_until({"GET", "k"}, "v"));
  EXPECT_NE(by_name_.dump("0").find("k"), std::string::npos);
  sentinel_.run({"AUTH", "watch"});
  ASSERT_TRUE(sentinel_.wait_until({"SENTINEL", "replicas", "main"},
                                   std::to_string(replica_.plain_port())));
  by_name_.config()["preferReplica"] = true;
  sentinel_.run({"SENTINEL", "DEBUG", "INFO-PERIOD", "200"});
  ASSERT_TRUE(
      sentinel_.wait_until({"SENTINEL", "replicas", "main"}, "master-link-status\nok\n"));
  FakeCall call;
  MemoryWriter out;
  ASSERT_TRUE(by_name_.dump(call, {{"database", "0"}}, out).ok());
  EXPECT_TRUE(logged(call, "a replica"));
  EXPECT_TRUE(logged(call, std::to_string(replica_.plain_port())));

  server_.kill();
  ASSERT_TRUE(replica_.wait_until({"ROLE"}, "master"));
  ASSERT_TRUE(sentinel_.wait_until({"SENTINEL", "get-master-addr-by-name", "main"},
                                   std::to_string(replica_.plain_port())));
  const std::string dumped = by_name_.dump("0");
  replica_.run({"SET", "k", "changed"});
  const Outcome ended = by_name_.restore("", dumped);
  ASSERT_TRUE(ended.ok()) << ended.text();
  EXPECT_EQ(replica_.run({"GET", "k"}), "v");
}

TEST_F(RedisSentinel, WhatEachSentinelSaidIsInTheError) {
  by_name_.config()["sentinelMasterName"] = "other";
  const Outcome unknown = by_name_.test();
  EXPECT_FALSE(unknown.ok());
  EXPECT_NE(unknown.message.find("knows no master \"other\""), std::string::npos)
      << unknown.message;
  EXPECT_NE(unknown.message.find("127.0.0.1:1"), std::string::npos) << unknown.message;
  by_name_.config()["sentinelPassword"] = "wrong-password";
  const Outcome refused = by_name_.test();
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(refused.message.find("wrong-password"), std::string::npos);
  by_name_.config()["sentinelNodes"] = "";
  EXPECT_EQ(by_name_.test().status, DBACKUP_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace dbackup::testing
