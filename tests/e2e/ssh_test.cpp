#include <signal.h>

#include <functional>

#include "tests/e2e/scenario.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/postgres_server.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/ssh_server.hpp"

// Sources and a storage on "another machine": a real sshd, reached through the real program.
namespace dbackup::testing {
namespace {

class OverSsh : public ::testing::Test {
 protected:
  Json login(const std::string& prefix) const {
    const auto name = [&](std::string word) {
      if (!prefix.empty()) word[0] = static_cast<char>(word[0] - 'a' + 'A');
      return prefix + word;
    };
    return {{name("host"), ssh_.host()},
            {name("port"), ssh_.port()},
            {name("username"), ssh_.user()},
            {name("authType"), "privateKey"},
            {name("privateKey"), ssh_.key()}};
  }
  Json with(Json config, const Json& more) const {
    config.update(more);
    return config;
  }
  /// A database server as seen from the other machine.
  template <class Server>
  std::string source_at(const std::string& kind, const Server& server) {
    return source(kind, with(login("ssh"), {{"connectionMode", "ssh"},
                                            {"host", server.host()},
                                            {"port", server.port()},
                                            {"user", server.user()},
                                            {"password", server.password()}}));
  }
  std::string source(const std::string& kind, const Json& config) {
    return s_.server.create_adapter("database", kind, config, kind + " over SSH");
  }
  Json run(const std::string& source, const Json& fields = Json::object()) {
    Json job{{"sourceId", source}};
    job.update(fields);
    return s_.server.wait_for(s_.server.run_job(s_.job(job)));
  }
  Json restore(const std::string& source, const std::string& path, const std::string& name) {
    const Answer answer = s_.server.post(
        "/api/storage/" + s_.destination + "/restore",
        name.empty()
            ? Json{{"file", path}, {"targetSourceId", source}}
            : Json{{"file", path}, {"targetSourceId", source}, {"targetDatabaseName", name}});
    EXPECT_EQ(answer.status, 202) << answer.body;
    return answer.status == 202
               ? s_.server.wait_for(answer.json().at("executionId").get<std::string>())
               : Json{};
  }
  /// Backs up, calls `between`, and restores as `name` ("": as what it was).
  void round_trip(const std::string& source_id, const Json& fields, const std::string& name,
                  const std::function<void()>& between = [] {}) {
    const Json done = run(source_id, fields);
    ASSERT_EQ(done.at("status"), "Success") << done.dump(1);
    between();
    const Json back = restore(source_id, done.at("path").get<std::string>(), name);
    ASSERT_EQ(back.at("status"), "Success") << back.dump(1);
  }
  Json known_keys() { return s_.server.get("/api/ssh-host-keys").json().at("data"); }

  SshServer ssh_;
  Scenario s_;
};

TEST_F(OverSsh, SqliteIsBackedUpAndRestored) {
  round_trip(source("sqlite", with(login(""), {{"mode", "ssh"}, {"path", s_.database}})),
             Json::object(), "copy.db");
  EXPECT_EQ(s_.content(s_.folder / "copy.db"), s_.content(s_.database));
}

TEST_F(OverSsh, PostgresIsBackedUpAndRestored) {
  if (!PostgresServer::installed()) GTEST_SKIP() << "no PostgreSQL server is installed";
  PostgresServer postgres;
  postgres.sql("postgres", "CREATE DATABASE shop");
  postgres.sql("shop", "CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 50000) i");
  round_trip(source_at("postgres", postgres), {{"databases", {"shop"}}}, "copy");
  EXPECT_EQ(postgres.fingerprint("copy"), postgres.fingerprint("shop"));
}

TEST_F(OverSsh, MariadbIsBackedUpAndRestored) {
  if (!MariadbServer::installed()) GTEST_SKIP() << "no MariaDB server is installed";
  MariadbServer mariadb;
  mariadb.sql("", "CREATE DATABASE shop");
  mariadb.sql("shop",
              "CREATE TABLE t (id INT PRIMARY KEY, c TEXT, b BLOB) CHARSET=utf8mb4;"
              "INSERT INTO t SELECT seq, CONCAT('\xF0\x9F\x98\x80 ', seq), UNHEX(MD5(seq)) FROM "
              "seq_1_to_20000; CREATE VIEW v AS SELECT id FROM t");
  round_trip(source_at("mariadb", mariadb), {{"databases", {"shop"}}}, "copy");
  EXPECT_EQ(mariadb.content("copy"), mariadb.content("shop"));
}

TEST_F(OverSsh, RedisIsBackedUpAndRestored) {
  if (!RedisServer::installed()) GTEST_SKIP() << "no Redis server is installed";
  RedisServer redis;
  for (int i = 0; i < 500; ++i) {
    redis.run({"HSET", "key " + std::to_string(i), "field", std::string{"\0\xFF", 2}});
  }
  const std::string before = redis.fingerprint();
  const std::string source_id = source(
      "redis", with(login("ssh"),
                    {{"connectionMode", "ssh"}, {"host", "127.0.0.1"}, {"port", redis.port()}}));
  round_trip(source_id, Json::object(), "", [&] { redis.run({"FLUSHALL"}); });
  EXPECT_EQ(redis.fingerprint(), before);
}

TEST_F(OverSsh, SftpKeepsListsAndGivesBackABackup) {
  std::filesystem::create_directories(s_.folder / "far");
  const std::string storage = s_.server.create_adapter(
      "storage", "sftp", with(login(""), {{"pathPrefix", s_.folder / "far"}}), "Far away");
  const Json done = run(s_.source, {{"destinations", Json::array({{{"configId", storage}}})}});
  ASSERT_EQ(done.at("status"), "Success") << done.dump(1);
  const std::string path = done.at("path").get<std::string>();
  EXPECT_TRUE(std::filesystem::exists(s_.folder / ("far/" + path)));
  ASSERT_EQ(s_.server.files(storage).size(), 1U);
  const Answer answer = s_.server.post(
      "/api/storage/" + storage + "/restore",
      {{"file", path}, {"targetSourceId", s_.source}, {"targetDatabaseName", "copy.db"}});
  ASSERT_EQ(answer.status, 202) << answer.body;
  const Json back = s_.server.wait_for(answer.json().at("executionId").get<std::string>());
  ASSERT_EQ(back.at("status"), "Success") << back.dump(1);
  EXPECT_EQ(s_.content(s_.folder / "copy.db"), s_.content(s_.database));
}

TEST_F(OverSsh, TheFirstHostKeyIsRememberedAndAnotherOneRefusedUntilItIsForgotten) {
  const Json config = with(login(""), {{"mode", "ssh"}, {"path", s_.database}});
  const auto test = [&] {
    return s_.server
        .post("/api/adapters/test-connection", {{"adapterId", "sqlite"}, {"config", config}})
        .json();
  };
  ASSERT_TRUE(test().at("success").get<bool>()) << test().dump();
  ASSERT_EQ(known_keys().size(), 1U);
  EXPECT_EQ(known_keys()[0].at("fingerprint"), ssh_.fingerprint());
  EXPECT_EQ(known_keys()[0].at("origin"), "first-use");

  const std::string before = ssh_.fingerprint();
  ssh_.change_host_keys();
  const Json refused = test();
  EXPECT_FALSE(refused.at("success").get<bool>());
  EXPECT_NE(refused.dump().find(before), std::string::npos) << refused.dump();
  EXPECT_NE(refused.dump().find(ssh_.fingerprint()), std::string::npos) << refused.dump();

  EXPECT_EQ(
      s_.server.call("DELETE", "/api/ssh-host-keys/" + known_keys()[0].at("id").get<std::string>())
          .status,
      200);
  EXPECT_TRUE(test().at("success").get<bool>()) << test().dump();
}

TEST_F(OverSsh, TestSshSaysWhatItReached) {
  const Answer good = s_.server.post("/api/adapters/test-ssh", {{"config", login("ssh")}});
  EXPECT_EQ(good.status, 200) << good.body;
  EXPECT_TRUE(good.json().at("success").get<bool>()) << good.body;
  EXPECT_NE(good.json().at("message").get<std::string>().find(std::to_string(ssh_.port())),
            std::string::npos);

  Json wrong = login("ssh");
  wrong["sshUsername"] = "nobody-of-that-name";
  const Answer bad = s_.server.post("/api/adapters/test-ssh", {{"config", wrong}});
  EXPECT_FALSE(bad.json().at("success").get<bool>()) << bad.body;
  EXPECT_EQ(bad.body.find(ssh_.key().substr(40, 60)), std::string::npos);
}

/// A dump under way, from a database large enough that it is not over soon.
class DumpOverSsh : public OverSsh {
 protected:
  static void SetUpTestSuite() {
    if (!PostgresServer::installed()) GTEST_SKIP() << "no PostgreSQL server is installed";
  }
  DumpOverSsh() {
    postgres_.sql("postgres", "CREATE DATABASE shop");
    postgres_.sql(
        "shop",
        "CREATE TABLE t AS SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 400000) i");
    execution_ = s_.server.run_job(s_.job({{"sourceId", source_at("postgres", postgres_)},
                                           {"databases", {"shop"}},
                                           {"compression", "NONE"}}));
    EXPECT_TRUE(reads_the_table("> 0"));
  }
  bool reads_the_table(const std::string& sessions) {
    return postgres_.wait_until(
        "postgres",
        "SELECT count(*) " + sessions + " FROM pg_stat_activity WHERE query LIKE 'COPY %'", "t");
  }
  Json failed_run() {
    Json done = s_.server.wait_for(execution_);
    EXPECT_EQ(done.at("status"), "Failed") << done.dump(1);
    EXPECT_TRUE(s_.server.files(s_.destination).empty());
    return done;
  }

  PostgresServer postgres_;
  std::string execution_;
};

TEST_F(DumpOverSsh, FailsAndListsNothingWhenTheConnectionIsLost) {
  ASSERT_GT(ssh_.kill_connections(), 0U);
  const Json done = failed_run();
  EXPECT_NE(done.at("error").get<std::string>().find("SSH"), std::string::npos) << done.dump(1);
}

TEST_F(DumpOverSsh, LeavesNoProgramAndNoFileThereWhenTheWorkerIsKilled) {
  const auto leaves_nothing = [&] { return std::filesystem::is_empty(ssh_.temporary_folder()); };
  EXPECT_FALSE(leaves_nothing()) << "the test looks at the wrong folder";
  for (const pid_t worker : s_.server.descendants()) ::kill(worker, SIGKILL);
  const Json done = failed_run();
  EXPECT_NE(done.at("error").get<std::string>().find("signal 9"), std::string::npos)
      << done.dump(1);
  EXPECT_TRUE(wait_until(leaves_nothing));
  EXPECT_TRUE(wait_until([&] { return ssh_.connections() == 0; }));
  EXPECT_TRUE(reads_the_table("= 0")) << "pg_dump lives on";
}

}  // namespace
}  // namespace dbackup::testing
