// What a dump would silently lack: each gap is closed, or named.
#include "tests/integration/mysql_test_base.hpp"

namespace dbackup::testing {
namespace {

class MysqlGaps : public Mysql {
 protected:
  /// What is said while `name` is dumped by `user`, whose password is "p".
  std::string said_by_dump(const std::string& name, const std::string& user = "") {
    SourceBench source{"mysql", source_.config(), "mysql"};
    if (!user.empty()) {
      source.config()["user"] = user;
      source.config()["password"] = "p";
    }
    FakeCall call;
    MemoryWriter out;
    const Outcome ended = source.dump(call, {{"database", name}}, out);
    EXPECT_TRUE(ended.ok()) << ended.text();
    dumped_ = out.content();
    std::string said;
    for (const LogLine& line : call.log_lines()) said += line.text + "\n";
    return said;
  }

  std::string dumped_;
};

TEST_F(MysqlGaps, OfMissingRightsAreNamedWithTheRight) {
  create("shop_x",
         "CREATE TABLE t (i INT); CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @x = 1;"
         "CREATE FUNCTION f() RETURNS INT RETURN 1;"
         "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1");
  server_.sql(
      "", "CREATE USER reader@'%' IDENTIFIED BY 'p'; GRANT SELECT ON `shop\\_x`.* TO reader@'%'");
  source_.config()["options"] = "--skip-events";
  std::string said = said_by_dump("shop_x", "reader");
  EXPECT_EQ(dumped_.find("TRIGGER"), std::string::npos) << "the tool says nothing of it";
  for (const char* wanted : {"views (needs SHOW VIEW)", "triggers (needs TRIGGER)",
                             "routines (needs SELECT on mysql.proc)", "reader@%", "\"shop_x\""}) {
    EXPECT_NE(said.find(wanted), std::string::npos) << wanted << "\n" << said;
  }
  for (const char* other : {"needs SELECT)", "events"}) {
    EXPECT_EQ(said.find(other), std::string::npos) << other << "\n" << said;
  }
  // Rights that come with a role, and by a pattern, are as good.
  server_.sql("",
              "CREATE ROLE backups; GRANT TRIGGER, SHOW VIEW, EVENT ON `shop%`.* TO backups;"
              "GRANT SELECT ON mysql.proc TO backups; GRANT backups TO reader@'%';"
              "SET DEFAULT ROLE backups FOR reader@'%'");
  source_.config()["options"] = "";
  said = said_by_dump("shop_x", "reader");
  EXPECT_EQ(said, "");
  for (const char* wanted : {"TRIGGER tr", "FUNCTION `f`", "EVENT `e`"}) {
    EXPECT_NE(dumped_.find(wanted), std::string::npos) << wanted;
  }
  EXPECT_EQ(said_by_dump("shop_x"), "");
}

TEST_F(MysqlGaps, HistoryOfVersionedTablesComesBack) {
  create("past",
         "CREATE TABLE t (i INT PRIMARY KEY, v TEXT) WITH SYSTEM VERSIONING;"
         "CREATE TABLE named (i INT, a TIMESTAMP(6) GENERATED ALWAYS AS ROW START,"
         " b TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (a, b))"
         " WITH SYSTEM VERSIONING; CREATE TABLE plain (i INT);"
         "INSERT INTO t VALUES (1, 'old'), (2, 'gone'); UPDATE t SET v = 'new' WHERE i = 1;"
         "DELETE FROM t WHERE i = 2; INSERT INTO named (i) VALUES (7); UPDATE named SET i = 8");
  const std::string all =
      "SELECT i, v, row_start, row_end FROM t FOR SYSTEM_TIME ALL UNION ALL"
      " SELECT i, NULL, a, b FROM named FOR SYSTEM_TIME ALL ORDER BY 1, 2, 3";
  const std::string past = server_.sql("past", all);
  EXPECT_NE(past.find("gone"), std::string::npos);
  EXPECT_EQ(said_by_dump("past"), "");
  server_.sql("past", "UPDATE t SET v = 'newer'");
  for (const char* target : {"past", "past copy"}) {
    const Outcome ended = restore(target, dumped_, "past");
    ASSERT_TRUE(ended.ok()) << ended.text();
    EXPECT_EQ(server_.sql(target, all), past) << target;
  }
}

TEST_F(MysqlGaps, HistoryThatCannotBeDumpedIsNamed) {
  create("precise",
         "CREATE TABLE stamped (i INT) WITH SYSTEM VERSIONING;"
         "CREATE TABLE numbered (i INT, a BIGINT UNSIGNED GENERATED ALWAYS AS ROW START,"
         " b BIGINT UNSIGNED GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (a, b))"
         " WITH SYSTEM VERSIONING ENGINE=InnoDB");
  const std::string said = said_by_dump("precise");
  EXPECT_NE(said.find("\"numbered\", \"stamped\""), std::string::npos) << said;
  EXPECT_NE(said.find("by transaction (\"numbered\")"), std::string::npos) << said;
}

TEST_F(MysqlGaps, TablesWithoutTheirRowsOrTheSnapshotAreNamed) {
  create("odd",
         "CREATE TABLE one (i INT) ENGINE=MyISAM; CREATE TABLE merged (i INT) ENGINE=MERGE"
         " UNION=(one); CREATE TABLE past (i INT) ENGINE=Aria WITH SYSTEM VERSIONING");
  const std::string said = said_by_dump("odd");
  EXPECT_NE(said.find("snapshot: \"one\" (MyISAM), \"past\" (Aria)\n"), std::string::npos) << said;
  EXPECT_NE(said.find("definitions: \"merged\" (MRG_MyISAM)\n"), std::string::npos) << said;
}

TEST_F(MysqlGaps, RowsTooLongForTheServerAreNamedWithWhatARestoreNeeds) {
  create("wide",
         "CREATE TABLE t (b LONGBLOB); INSERT INTO t VALUES (REPEAT('x', 1500000));"
         "SET GLOBAL max_allowed_packet = 2097152");
  const std::string said = said_by_dump("wide");
  server_.sql("", "SET GLOBAL max_allowed_packet = 67108864");
  EXPECT_NE(said.find("max_allowed_packet (2097152)"), std::string::npos) << said;
  EXPECT_NE(said.find("max_allowed_packet = 3M"), std::string::npos) << said;
  EXPECT_EQ(said_by_dump("wide"), "");
}

}  // namespace
}  // namespace dbackup::testing
