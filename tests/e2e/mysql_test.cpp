#include "tests/e2e/scenario.hpp"
#include "tests/support/mariadb_server.hpp"

namespace dbackup::testing {
namespace {

class MariadbRuns : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!MariadbServer::installed()) GTEST_SKIP() << "no MariaDB server is installed";
  }
  void SetUp() override {
    mariadb_.sql("", "CREATE DATABASE shop; CREATE DATABASE `crm ``x`` äöü`");
    mariadb_.sql(
        "shop",
        "CREATE TABLE t (id INT PRIMARY KEY, c TEXT, b BLOB) ENGINE=InnoDB CHARSET=utf8mb4;"
        "INSERT INTO t SELECT seq, CONCAT('\xF0\x9F\x98\x80 it''s ', seq), UNHEX(MD5(seq))"
        " FROM seq_1_to_20000; CREATE VIEW v AS SELECT id FROM t;"
        "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.c = 'x'");
    mariadb_.sql("crm `x` äöü", "CREATE TABLE k (i INT); INSERT INTO k VALUES (7)");
    source_ = s_.server.create_adapter("database", "mariadb",
                                       {{"host", mariadb_.host()},
                                        {"port", mariadb_.port()},
                                        {"user", mariadb_.user()},
                                        {"password", mariadb_.password()},
                                        {"sslMode", "verify-ca"},
                                        {"sslRootCert", mariadb_.ca_file()}},
                                       "Shop");
  }
  Json restore(const std::string& path, Json fields) {
    fields["file"] = path;
    fields["targetSourceId"] = source_;
    const Answer answer = s_.server.post("/api/storage/" + s_.destination + "/restore", fields);
    EXPECT_EQ(answer.status, 202) << answer.body;
    if (answer.status != 202) return Json::object();
    return s_.server.wait_for(answer.json().at("executionId").get<std::string>());
  }

  Scenario s_;
  MariadbServer mariadb_;
  std::string source_;
};

TEST_F(MariadbRuns, OneDatabaseComesBackOverItselfAndUnderAnotherName) {
  const std::string before = mariadb_.content("shop");
  const Json run =
      s_.back_up({{"sourceId", source_}, {"databases", {"shop"}}, {"compression", "ZSTD"}});
  const std::string path = run.at("path").get<std::string>();
  EXPECT_TRUE(path.ends_with(".sql.zst.age")) << path;
  const Json copied = restore(path, {{"targetDatabaseName", "shop copy"}});
  ASSERT_EQ(copied.value("status", ""), "Success") << copied.dump(1);
  EXPECT_EQ(mariadb_.content("shop copy"), before);
  mariadb_.sql("shop", "DROP VIEW v; DELETE FROM t");
  const Json back = restore(path, Json::object());
  ASSERT_EQ(back.value("status", ""), "Success") << back.dump(1);
  EXPECT_EQ(mariadb_.content("shop"), before);
  EXPECT_EQ((run.dump() + s_.server.log()).find("s:e\\\\c"), std::string::npos);
}

TEST_F(MariadbRuns, SeveralDatabasesShareAnArchive) {
  const std::string name = "crm `x` äöü";
  const std::string before = mariadb_.content(name);
  const std::string path =
      s_.back_up({{"sourceId", source_}, {"databases", {"shop", name}}, {"compression", "ZSTD"}})
          .at("path")
          .get<std::string>();
  EXPECT_TRUE(path.ends_with(".tar.age")) << path;
  mariadb_.sql(name, "DROP TABLE k");
  const Json run =
      restore(path, {{"databaseMapping", {{{"originalName", name}, {"targetName", name}}}}});
  ASSERT_EQ(run.value("status", ""), "Success") << run.dump(1);
  EXPECT_EQ(mariadb_.content(name), before);
}

TEST_F(MariadbRuns, ADamagedBackupLeavesTheTargetAsItWas) {
  const std::string path =
      s_.back_up({{"sourceId", source_}, {"databases", {"shop"}}}).at("path").get<std::string>();
  mariadb_.sql("shop", "DELETE FROM t WHERE id > 100");
  const std::string before = mariadb_.content("shop");
  std::string bytes = read_file(s_.stored(path));
  bytes[bytes.size() - 40] = static_cast<char>(bytes[bytes.size() - 40] ^ 0x40);
  write_file(s_.stored(path), bytes);
  EXPECT_EQ(restore(path, Json::object()).value("status", ""), "Failed");
  EXPECT_EQ(mariadb_.content("shop"), before);
}

}  // namespace
}  // namespace dbackup::testing
