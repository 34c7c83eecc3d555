#include <dbackup/testing/gtest.hpp>
#include <filesystem>

#include "tests/integration/mysql_test_base.hpp"
#include "tests/integration/postgres_test_base.hpp"
#include "tests/integration/redis_test_base.hpp"
#include "tests/integration/sqlite_test_base.hpp"
#include "tests/support/ssh_services.hpp"
#include "tests/unit/worker_ssh/ssh_fixture.hpp"

// The checks of the testing kit once more, with programs and connections of another machine: a
// real sshd, and the host's own services.
namespace dbackup::testing {
namespace {

namespace fs = std::filesystem;

class OverSsh : public ::testing::Test {
 protected:
  /// `options.config` is what a source on this machine would get.
  void expect_conforming(const std::string& plugin, const std::string& adapter,
                         CheckOptions options) {
    const std::string path = ::dbackup::test::binary_dir() + "/lib/dbackup/plugins/" + plugin + ".so";
    ::dbackup::test::SshServices services{path, ::dbackup::test::key_login(ssh_)};
    options.prepare_call = services.prepare();
    const PluginFile file{path};
    EXPECT_TRUE(conforms(file.adapter(adapter), options)) << adapter << "\n" << ssh_.log_tail();
    EXPECT_EQ(ssh_.connections(), 1U) << "all of it went over one connection, still open";
  }
  static Json over_ssh(Json config) {
    config["connectionMode"] = "ssh";
    return config;
  }

  SshServer ssh_;
};

TEST_F(OverSsh, PostgresDoesWhatEverySourcePromises) {
  if (!PostgresServer::installed()) GTEST_SKIP() << "no PostgreSQL server is installed";
  PostgresServer server;
  server.sql("postgres", "CREATE DATABASE \"it's a shop\"");
  server.sql("it's a shop",
             "CREATE TABLE big AS SELECT i, repeat(md5(i::text), 8) FROM "
             "generate_series(1, 30000) i");
  Json unreachable = over_ssh(postgres_config(server));
  unreachable["port"] = 1;
  expect_conforming("postgres", "postgres",
                    {.config = over_ssh(postgres_config(server)),
                     .unreachable_config = unreachable,
                     .database = "it's a shop",
                     .restore_database = "copy of \"数据\"",
                     .fingerprint = [&](const std::string& name) {
                       return server.fingerprint(name);
                     }});
}

TEST_F(OverSsh, MysqlAndMariadbDoWhatEverySourcePromises) {
  if (!MariadbServer::installed()) GTEST_SKIP() << "no MariaDB server is installed";
  MariadbServer server;
  server.sql("", "CREATE DATABASE `it's a shop`");
  server.sql("it's a shop", many_rows(8'000));
  Json unreachable = over_ssh(mariadb_config(server));
  unreachable["port"] = 1;
  for (const char* id : {"mysql", "mariadb"}) {
    expect_conforming("mysql", id,
                      {.config = over_ssh(mariadb_config(server)),
                       .unreachable_config = unreachable,
                       .database = "it's a shop",
                       .restore_database = std::string{"copy \"数据\" "} + id,
                       .fingerprint = [&](const std::string& name) {
                         return server.content(name);
                       }});
  }
}

TEST_F(OverSsh, RedisAndValkeyDoWhatEverySourcePromises) {
  if (!RedisServer::installed()) GTEST_SKIP() << "no Redis server is installed";
  RedisServer server;
  server.run({"CONFIG", "SET", "rdbcompression", "no"});
  server.run({"DEBUG", "POPULATE", "3000", "big", "800"});
  Json unreachable = over_ssh(redis_config(server));
  unreachable["port"] = 1;
  for (const char* id : {"redis", "valkey"}) {
    server.select(1);
    server.run({"FLUSHDB"});
    server.select(0);
    expect_conforming("redis", id,
                      {.config = over_ssh(redis_config(server)),
                       .unreachable_config = unreachable,
                       .database = "0",
                       .restore_database = "1",
                       .fingerprint = [&](const std::string& name) {
                         return server.fingerprint(std::stoi(name));
                       }});
  }
}

TEST_F(OverSsh, SqliteDoesWhatEverySourcePromises) {
  const ::dbackup::test::TemporaryFolder folder;
  const auto content = [&](const std::string& name) -> std::string {
    const std::string path = folder / name;
    if (!fs::exists(path)) return "absent";
    return Sqlite{path}.text("SELECT count(*), sum(length(pad)), max(hex(pad)) FROM t");
  };
  for (const std::string journal : {"DELETE", "WAL"}) {
    const std::string name = "it's a " + journal + " 数据.db";
    {
      Sqlite made{folder / name};
      made.text("PRAGMA journal_mode = " + journal);
      made.run(
          "CREATE TABLE t (i INTEGER PRIMARY KEY, pad BLOB); WITH RECURSIVE n(i) AS (SELECT 1 UNION "
          "ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT i, randomblob(1000) FROM n");
    }
    expect_conforming("sqlite", "sqlite",
                      {.config = {{"mode", "ssh"}, {"path", folder / name}},
                       .database = name,
                       .restore_database = "copy \"2\".db",
                       .fingerprint = content});
    fs::remove(folder / "copy \"2\".db");
  }
}

TEST_F(OverSsh, SftpDoesWhatEveryStoragePromises) {
  const fs::path root = ssh_.folder() / "it's a store";
  fs::create_directories(root);
  expect_conforming("sftp", "sftp",
                    {.config = {{"host", ssh_.host()},
                                {"port", ssh_.port()},
                                {"username", ssh_.user()},
                                {"pathPrefix", root.string()}}});
  for (const auto& entry : fs::recursive_directory_iterator{root}) {
    EXPECT_FALSE(entry.is_regular_file()) << entry.path() << " was left behind";
  }
}

}  // namespace
}  // namespace dbackup::testing
