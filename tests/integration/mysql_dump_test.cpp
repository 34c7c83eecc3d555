#include <dbackup/testing/gtest.hpp>
#include <fstream>

#include "tests/integration/mysql_test_base.hpp"
#include "tests/support/visible_processes.hpp"

namespace dbackup::testing {
namespace {

std::string log_of(const FakeCall& call) {
  std::string out;
  for (const LogLine& line : call.log_lines()) out += line.text + "\n";
  return out;
}

class MysqlDump : public Mysql {
 protected:
  std::string statement_;
};

TEST_F(MysqlDump, FulfilsTheConformanceChecksAsBothAdapters) {
  create("conform", many_rows(8'000));
  Json unreachable = source_.config();
  unreachable["port"] = 1;
  for (const char* id : {"mysql", "mariadb"}) {
    SourceBench bench{"mysql", source_.config(), id};
    EXPECT_TRUE(conforms(bench.adapter(), {.config = bench.config(),
                                           .unreachable_config = unreachable,
                                           .prompt = std::chrono::milliseconds{1500},
                                           .database = "conform",
                                           .restore_database = std::string{"conform copy "} + id,
                                           .fingerprint = [&](const std::string& name) {
                                             return server_.content(name);
                                           }}));
  }
}

TEST_F(MysqlDump, TestNamesVersionAndEdition) {
  const Outcome ended = source_.test();
  ASSERT_TRUE(ended.ok()) << ended.text();
  const std::string full = server_.sql("", "SELECT VERSION()");
  EXPECT_EQ(ended.result.at("version"), full.substr(0, full.find('-')));
  EXPECT_EQ(ended.result.at("edition"), "MariaDB");
  EXPECT_EQ(ended.result.at("message"), "Connection successful");
}

TEST_F(MysqlDump, AWrongPasswordIsRefusedAndNotShown) {
  source_.config()["password"] = "not-the-password";
  const Outcome ended = source_.test();
  EXPECT_EQ(ended.status, DBACKUP_UNAUTHENTICATED) << ended.text();
  EXPECT_EQ((ended.message + ended.detail).find("not-the-password"), std::string::npos);
  EXPECT_NE(ended.message.find("Access denied"), std::string::npos) << ended.message;
}

TEST_F(MysqlDump, WorksOverTheSocketWithoutAPassword) {
  create("by socket", "CREATE TABLE t (i INT)");
  source_.config()["host"] = server_.socket();
  source_.config()["user"] = "root";
  source_.config()["password"] = "";
  ASSERT_TRUE(source_.test().ok());
  EXPECT_NE(source_.dump("by socket").find("CREATE TABLE `t`"), std::string::npos);
}

TEST_F(MysqlDump, ListsDatabasesWithSizesAndTableCounts) {
  create("listed `x`",
         "CREATE TABLE a (i INT); CREATE TABLE b (i INT); CREATE VIEW v AS SELECT 1 AS i");
  create("listed empty");
  ItemList items;
  ASSERT_TRUE(source_.list(items).ok());
  std::map<std::string, Json> found;
  for (const Json& item : items.items()) found[item.at("name").get<std::string>()] = item;
  for (const char* system : {"mysql", "information_schema", "performance_schema", "sys"}) {
    EXPECT_EQ(found.count(system), 0U) << system;
  }
  ASSERT_EQ(found.count("listed `x`"), 1U);
  EXPECT_EQ(found["listed `x`"].at("tableCount"), 2);
  EXPECT_GE(found["listed `x`"].at("sizeInBytes").get<int64_t>(), 32768);
  EXPECT_EQ(found["listed empty"].at("tableCount"), 0);
}

TEST_F(MysqlDump, OfAMissingOrSystemDatabaseIsRefusedBeforeAnythingIsWritten) {
  for (const auto& [name, code] :
       std::map<std::string, dbackup_status>{{"nowhere", DBACKUP_NOT_FOUND},
                                             {"MYSQL", DBACKUP_INVALID_ARGUMENT},
                                             {"", DBACKUP_INVALID_ARGUMENT},
                                             {"x; DROP DATABASE y", DBACKUP_NOT_FOUND},
                                             {"--all-databases", DBACKUP_NOT_FOUND},
                                             {std::string(65, 'x'), DBACKUP_INVALID_ARGUMENT}}) {
    FakeCall call;
    MemoryWriter out;
    const Outcome ended = source_.dump(call, {{"database", name}}, out);
    EXPECT_EQ(ended.status, code) << name << ended.text();
    EXPECT_EQ(out.size(), 0U);
  }
}

TEST_F(MysqlDump, NamesTablesThatAreNotPartOfTheSnapshot) {
  create("engines",
         "CREATE TABLE old (i INT) ENGINE=MyISAM; CREATE TABLE fine (i INT) ENGINE=InnoDB");
  FakeCall call;
  MemoryWriter out;
  ASSERT_TRUE(source_.dump(call, {{"database", "engines"}}, out).ok());
  EXPECT_NE(log_of(call).find("\"old\" (MyISAM)"), std::string::npos) << log_of(call);
  EXPECT_EQ(log_of(call).find("\"fine\""), std::string::npos) << log_of(call);
}

TEST_F(MysqlDump, IsOneSnapshotWhileOthersWrite) {
  create("busy", many_rows(20'000, "a") + ";" + many_rows(20'000, "z"));
  FakeCall call;
  MemoryWriter out{{.most_bytes = 64 * 1024}};
  out.before_write([&](uint64_t nth) {
    if (nth == 3) server_.sql("busy", "UPDATE a SET t = 'later'; UPDATE z SET t = 'later'");
  });
  ASSERT_TRUE(source_.dump(call, {{"database", "busy"}}, out).ok());
  EXPECT_EQ(out.content().find("'later'"), std::string::npos);
}

TEST_F(MysqlDump, UserFlagsReachTheToolAndBadOnesAreNamed) {
  create("filtered", "CREATE TABLE wanted (i INT); CREATE TABLE `not this` (i INT)");
  source_.config()["options"] = "--ignore-table='filtered.not this' -v";
  const std::string dumped = source_.dump("filtered");
  EXPECT_NE(dumped.find("wanted"), std::string::npos);
  EXPECT_EQ(dumped.find("not this"), std::string::npos);
  source_.config()["options"] = "--result-file=/tmp/x";
  EXPECT_EQ(source_.test().status, DBACKUP_INVALID_ARGUMENT);
}

TEST_F(MysqlDump, ThatTheServerEndsFailsWithTheToolsWords) {
  create("killed", many_rows(60'000));
  FakeCall call;
  MemoryWriter out{{.most_bytes = 64 * 1024}, 1};
  out.before_write([&](uint64_t nth) {
    if (nth != 3) return;
    for (const char c : server_.sql("",
                                    "SELECT GROUP_CONCAT('KILL ', ID SEPARATOR ';') FROM"
                                    " information_schema.PROCESSLIST WHERE DB = 'killed'") +
                            ";") {
      statement_ += c;
      if (c != ';') continue;
      server_.sql("", statement_);
      statement_.clear();
    }
  });
  const Outcome ended = source_.dump(call, {{"database", "killed"}}, out);
  EXPECT_EQ(ended.status, DBACKUP_ABORTED) << ended.text();
  EXPECT_NE(ended.message.find("mariadb-dump failed with exit code"), std::string::npos)
      << ended.message;
  EXPECT_NE(ended.message.find("when dumping table `big`"), std::string::npos) << ended.message;
}

TEST_F(MysqlDump, CancelledEndsAtOnceAndLeavesNoSession) {
  create("cancelled", many_rows(60'000));
  FakeCall call;
  MemoryWriter out{{.most_bytes = 64 * 1024}, 1};
  Stopwatch since;
  out.before_write([&](uint64_t nth) {
    if (nth != 2) return;
    since.restart();
    call.cancel();
  });
  const Outcome ended = source_.dump(call, {{"database", "cancelled"}}, out);
  EXPECT_LT(since.ms(), 1500);
  EXPECT_EQ(ended.status, DBACKUP_CANCELLED) << ended.text();
  EXPECT_TRUE(server_.wait_until(
      "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = 'cancelled'", "0"));
}

TEST_F(MysqlDump, ThePasswordIsInNoCommandLineAndNoEnvironment) {
  create("secretive", many_rows(20'000));
  std::string seen;
  FakeCall call;
  MemoryWriter out{{.most_bytes = 64 * 1024}};
  out.before_write([&](uint64_t nth) {
    if (nth == 2) seen = visible_to_others();
  });
  ASSERT_TRUE(source_.dump(call, {{"database", "secretive"}}, out).ok());
  EXPECT_NE(seen.find("mariadb-dump"), std::string::npos);
  EXPECT_EQ(seen.find("s:e\\c"), std::string::npos);
  EXPECT_EQ(log_of(call).find("s:e\\c"), std::string::npos);
}

TEST_F(MysqlDump, AMissingToolIsNamed) {
  create("toolless");
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  FakeCall call;
  MemoryWriter out;
  const Outcome ended = source_.dump(call, {{"database", "toolless"}}, out);
  const Outcome tested = source_.test();
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(ended.status, DBACKUP_NOT_FOUND);
  EXPECT_NE(ended.message.find("mariadb-dump, mysqldump"), std::string::npos) << ended.message;
  EXPECT_EQ(tested.status, DBACKUP_NOT_FOUND) << tested.text();
}

TEST_F(MysqlDump, ChecksCertificatesAsAsked) {
  create("tls", "CREATE TABLE t (i INT)");
  const auto status = [&](const char* mode, const std::string& ca, const std::string& host,
                          bool with_dump) {
    Json& config = source_.config();
    config["sslMode"] = mode;
    config["sslRootCert"] = ca;
    config["host"] = host;
    if (!with_dump) return source_.test().status;
    FakeCall call;
    MemoryWriter out;
    const Outcome ended = source_.dump(call, {{"database", "tls"}}, out);
    EXPECT_TRUE(ended.ok()) << mode << ended.text();
    return ended.status;
  };
  const std::string ca = server_.ca_file();
  const std::string other = server_.other_ca_file();
  for (const char* mode : {"disable", "prefer", "require"}) {
    EXPECT_EQ(status(mode, "", "127.0.0.1", true), DBACKUP_OK) << mode;
  }
  EXPECT_EQ(status("verify-ca", ca, "127.0.0.1", true), DBACKUP_OK);
  EXPECT_EQ(status("verify-full", ca, "localhost", true), DBACKUP_OK);
  EXPECT_EQ(status("verify-full", ca, "127.0.0.1", false), DBACKUP_FAILED_PRECONDITION);
  EXPECT_EQ(status("verify-ca", other, "localhost", false), DBACKUP_FAILED_PRECONDITION);
  EXPECT_EQ(status("verify-full", other, "localhost", false), DBACKUP_FAILED_PRECONDITION);
  EXPECT_EQ(status("verify-ca", "", "localhost", false), DBACKUP_INVALID_ARGUMENT);
  server_.sql("", "CREATE USER tls@'%' IDENTIFIED BY 't' REQUIRE SSL; GRANT ALL ON *.* TO tls@'%'");
  source_.config()["user"] = "tls";
  source_.config()["password"] = "t";
  EXPECT_EQ(status("prefer", "", "127.0.0.1", true), DBACKUP_OK);
  EXPECT_EQ(status("disable", "", "127.0.0.1", false), DBACKUP_UNAUTHENTICATED);
  source_.config()["disableSsl"] = true;
  EXPECT_EQ(status("require", "", "127.0.0.1", false), DBACKUP_UNAUTHENTICATED);
}

TEST(MysqlWithoutTls, IsRefusedWhereEncryptionIsAskedFor) {
  if (!MariadbServer::installed()) GTEST_SKIP() << "no MariaDB server is installed";
  const MariadbServer server{{"--skip-ssl"}};
  SourceBench source{"mysql", mariadb_config(server), "mysql"};
  EXPECT_TRUE(source.test().ok());
  source.config()["sslMode"] = "require";
  const Outcome ended = source.test();
  EXPECT_EQ(ended.status, DBACKUP_FAILED_PRECONDITION) << ended.text();
}

TEST(MysqlKilled, ServersEndDumpsAndRestoresWithAnErrorAndAreCleanedAfterwards) {
  if (!MariadbServer::installed()) GTEST_SKIP() << "no MariaDB server is installed";
  MariadbServer server;
  const SourceBench source{"mysql", mariadb_config(server), "mariadb"};
  server.sql("", "CREATE DATABASE d");
  server.sql("d", many_rows(20'000));
  const std::string dumped = source.dump("d");
  const std::string before = server.content("d");
  {
    FakeCall call;
    MemoryWriter out{{.most_bytes = 64 * 1024}, 1};
    out.before_write([&](uint64_t nth) {
      if (nth == 4) server.kill();
    });
    EXPECT_FALSE(source.dump(call, {{"database", "d"}}, out).ok());
  }
  server.start();
  const std::string token = "0b9f6c1e-7a53-4d0e-9f55-2c1f7a1d3e90";
  FakeCall call;
  MemoryReader in{dumped, {.most_bytes = 100'000}};
  in.before_read([&](uint64_t nth) {
    if (nth == 40) server.kill();
  });
  const Outcome ended = source.restore(call, {{"database", "d"}, {"token", token}}, in);
  EXPECT_EQ(ended.status, DBACKUP_UNAVAILABLE) << ended.text();
  EXPECT_NE(ended.message.find("could not be removed"), std::string::npos) << ended.message;
  server.start();
  EXPECT_EQ(difference(server.content("d"), before), "");
  EXPECT_NE(server.content("dbackup_restore_" + token), "absent");
  EXPECT_TRUE(source.cleanup("d", token).ok());
  EXPECT_EQ(server.content("dbackup_restore_" + token), "absent");
  EXPECT_EQ(difference(server.content("d"), before), "");
}

}  // namespace
}  // namespace dbackup::testing
