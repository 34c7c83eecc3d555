// The moment in which a restored database takes the place of the old one: killed, interrupted and
// refused wherever it can be.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "tests/integration/mysql_test_base.hpp"

namespace dbackup::testing {
namespace {

/// The dump tools write events behind everything else, and this one no server takes.
constexpr const char* kImpossibleEvent = "\nCREATE EVENT e ON SCHEDULE EVERY 0 DAY DO SELECT 1;\n";

class MysqlExchange : public Mysql {
 protected:
  /// Restores in a process of its own and kills that when the exchange is at its last step, and
  /// waits for the table in which the server keeps events.
  void kill_at_the_end(const std::string& target, const std::string& dumped) {
    std::thread holder{[&] {
      try {
        server_.sql("", "LOCK TABLES mysql.event READ; SELECT SLEEP(60) AS holding");
      } catch (const std::exception&) {  // ended below
      }
    }};
    const std::string of_holder =
        " FROM information_schema.PROCESSLIST WHERE INFO LIKE '%AS holding'"
        " AND ID <> CONNECTION_ID()";
    EXPECT_TRUE(server_.wait_until("SELECT COUNT(*)" + of_holder, "1"));
    const pid_t child = fork();
    if (child == 0) {
      FakeCall call;
      MemoryReader in{dumped};
      source_.restore(call, {{"database", target}, {"originalName", target}, {"token", token_}},
                      in);
      _exit(0);
    }
    EXPECT_TRUE(
        server_.wait_until("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = '" +
                               target + "' AND STATE LIKE 'Waiting for table%'",
                           "1"));
    ::kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    server_.sql("", "KILL " + server_.sql("", "SELECT ID" + of_holder));
    holder.join();
  }

  Outcome clean_up(FakeCall& call, const std::string& target) {
    offer_local_services(call);
    Outcome opened;
    const auto source = SourceInstance::open(
        *table_of<dbackup_source>(source_.adapter(), DBACKUP_EXT_SOURCE), source_.config(), opened);
    return source.run(source.table().cleanup_restore, call,
                      {{"database", target}, {"token", token_}});
  }

  /// One of everything that is exchanged; then all of it is different from what the dump says.
  std::string create_and_change(const std::string& name) {
    create(name,
           "ALTER DATABASE COLLATE utf8mb4_unicode_ci;"
           "CREATE TABLE a (i INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO a VALUES (1);"
           "CREATE TABLE b (i INT, FOREIGN KEY (i) REFERENCES a (i)) ENGINE=InnoDB;"
           "INSERT INTO b VALUES (1); CREATE TABLE turned (i INT); CREATE VIEW viewed AS SELECT 1;"
           "CREATE FUNCTION f() RETURNS INT RETURN 1;"
           "CREATE VIEW z AS SELECT f() AS x FROM a; CREATE VIEW c AS SELECT * FROM z;"
           "CREATE TRIGGER t1 BEFORE INSERT ON a FOR EACH ROW SET NEW.i = 5;"
           "CREATE EVENT last ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1");
    const std::string dumped = source_.dump(name);
    server_.sql(name,
                "DROP EVENT last; UPDATE b SET i = NULL; UPDATE a SET i = 2; DROP TABLE turned;"
                "CREATE VIEW turned AS SELECT 7; DROP VIEW viewed; CREATE TABLE viewed (i INT);"
                "DROP FUNCTION f; CREATE FUNCTION f() RETURNS INT RETURN 2;"
                "CREATE OR REPLACE VIEW z AS SELECT f() * 2 AS x FROM a; DROP TRIGGER t1;"
                "CREATE TRIGGER t3 BEFORE INSERT ON a FOR EACH ROW SET @x = 3;"
                "CREATE TRIGGER t2 BEFORE INSERT ON a FOR EACH ROW SET @x = 2;"
                "CREATE TRIGGER t1 BEFORE INSERT ON a FOR EACH ROW SET @x = 1;"
                "CREATE TABLE own (i INT); ALTER DATABASE COLLATE utf8mb4_bin");
    return dumped;
  }

  const std::string token_ = "11111111-7a53-4d0e-9f55-2c1f7a1d3e90";
};

TEST_F(MysqlExchange, KilledInTheSecondOfTwoDatabasesOfOneTokenLeavesTheFirstAlone) {
  for (const char* cleaned_first : {"first", ""}) {
    const std::string first = create_and_change("first");
    FakeCall call;
    MemoryReader in{first};
    ASSERT_TRUE(source_.restore(call, {{"database", "first"}, {"token", token_}}, in).ok());
    const std::string restored = server_.content("first");
    const std::string second = create_and_change("second");
    const std::string before = server_.content("second");
    kill_at_the_end("second", second);
    EXPECT_NE(server_.content("second"), before);
    EXPECT_TRUE(source_.cleanup(cleaned_first, token_).ok());
    EXPECT_EQ(difference(server_.content("first"), restored), "");
    EXPECT_TRUE(source_.cleanup("second", token_).ok());
    EXPECT_EQ(difference(server_.content("first"), restored), "");
    EXPECT_EQ(difference(server_.content("second"), before), "");
    server_.sql("", "SET foreign_key_checks = 0; DROP DATABASE first; DROP DATABASE second");
  }
}

TEST_F(MysqlExchange, WalkedBackGoesOnWhereItWasInterrupted) {
  const std::string dumped = create_and_change("rent");
  const std::string before = server_.content("rent");
  kill_at_the_end("rent", dumped);
  int interrupted = 0;
  for (uint64_t question = 1;; ++question) {
    FakeCall call;
    call.cancel_at_question(question);
    const Outcome ended = clean_up(call, "rent");
    if (ended.ok()) break;
    ++interrupted;
    ASSERT_EQ(ended.status, DBACKUP_CANCELLED) << question << ended.text();
  }
  EXPECT_GT(interrupted, 20);
  EXPECT_EQ(difference(server_.content("rent"), before), "");
}

TEST_F(MysqlExchange, WalkedBackIsWholeAfterAnyInterruption) {
  const std::string dumped = create_and_change("rent often");
  const std::string before = server_.content("rent often");
  for (uint64_t question = 10, interrupted = 1; interrupted == 1; question += question / 4) {
    kill_at_the_end("rent often", dumped);
    FakeCall call;
    call.cancel_at_question(question);
    if (clean_up(call, "rent often").ok()) interrupted = 0;
    const Outcome ended = source_.cleanup("rent often", token_);
    ASSERT_TRUE(ended.ok()) << question << ended.text();
    ASSERT_EQ(difference(server_.content("rent often"), before), "") << question;
  }
}

TEST_F(MysqlExchange, CleanUpKeepsAnOldTableThatIsNotBackInItsPlace) {
  create("waiting", "CREATE TABLE t (i INT)");
  const std::string aside = "dbackup_before_" + token_;
  create(aside,
         "CREATE TABLE dbackup_undo (step INT, seq INT, body LONGBLOB, settings LONGBLOB,"
         " collation LONGBLOB, PRIMARY KEY (step, seq));"
         "CREATE TABLE dbackup_state (id INT PRIMARY KEY, step INT, session BIGINT UNSIGNED,"
         " target VARBINARY(1024)); CREATE TABLE lost (i INT)");
  server_.sql(aside, "INSERT INTO dbackup_state VALUES (1, -1, 0, 'waiting')");
  const Outcome refused = source_.cleanup("waiting", token_);
  EXPECT_EQ(refused.status, DBACKUP_INTERNAL) << refused.text();
  EXPECT_NE(refused.message.find("\"lost\""), std::string::npos) << refused.message;
  EXPECT_EQ(server_.sql(aside, "SELECT COUNT(*) FROM lost"), "0") << "it is still there";
  server_.sql(aside, "DELETE FROM dbackup_state");
  const Outcome ended = source_.cleanup("waiting", token_);
  EXPECT_TRUE(ended.ok()) << "without its row the exchange had not begun: " << ended.text();
  EXPECT_EQ(server_.content(aside), "absent");
}

TEST_F(MysqlExchange, ThatFailsLeavesRoutinesAndEventsOfAnotherSpelling) {
  const std::string package =
      "CREATE PACKAGE Pack AS FUNCTION g RETURN INT; END; CREATE PACKAGE BODY Pack AS"
      " FUNCTION g RETURN INT AS BEGIN RETURN ";
  create("priced",
         "CREATE FUNCTION GetPrice() RETURNS INT RETURN 1; CREATE EVENT Nightly ON SCHEDULE EVERY 1"
         " DAY DISABLE DO SELECT 1; SET sql_mode = ORACLE; " +
             package + "1; END; END");
  const std::string fresh = server_.content("priced");
  const std::string dumped = source_.dump("priced");
  server_.sql("priced",
              "DROP FUNCTION getprice; DROP EVENT nightly; CREATE FUNCTION getprice() RETURNS INT"
              " RETURN 2; CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 2;"
              "SET sql_mode = ORACLE; DROP PACKAGE Pack; " +
                  package + "2; END; END");
  const std::string before = server_.content("priced");
  const std::string of_package = "SELECT Pack.g()";
  ASSERT_EQ(server_.sql("priced", "SET sql_mode = ORACLE; " + of_package), "2");
  const Outcome failed = restore("priced", dumped + kImpossibleEvent, "priced");
  EXPECT_NE(failed.message.find("create the events"), std::string::npos) << failed.text();
  EXPECT_EQ(difference(server_.content("priced"), before), "");
  EXPECT_EQ(server_.sql("priced", "SET sql_mode = ORACLE; " + of_package), "2");
  const Outcome ended = restore("priced", dumped, "priced");
  ASSERT_TRUE(ended.ok()) << ended.text();
  EXPECT_EQ(difference(server_.content("priced"), fresh), "");
  EXPECT_EQ(server_.sql("priced", "SET sql_mode = ORACLE; " + of_package), "1");
}

TEST_F(MysqlExchange, TakesAPackageBodyWithItsPackage) {
  create("bare", "SET sql_mode = ORACLE; CREATE PACKAGE P AS FUNCTION g RETURN INT; END");
  const std::string dumped = source_.dump("bare");
  server_.sql("bare",
              "SET sql_mode = ORACLE; CREATE PACKAGE BODY p AS"
              " FUNCTION g RETURN INT AS BEGIN RETURN 3; END; END");
  const Outcome ended = restore("bare", dumped + kImpossibleEvent, "bare");
  EXPECT_NE(ended.message.find("create the events"), std::string::npos) << ended.text();
  EXPECT_EQ(server_.sql("bare", "SET sql_mode = ORACLE; SELECT p.g()"), "3");
  server_.sql("", "DROP DATABASE bare");
}

TEST_F(MysqlExchange, SaysWhoLosesRightsOnASingleRoutine) {
  create("granted", "CREATE FUNCTION f() RETURNS INT RETURN 1");
  server_.sql("granted",
              "CREATE USER caller@'%' IDENTIFIED BY 'c';"
              "GRANT EXECUTE ON FUNCTION granted.f TO caller@'%'");
  const std::string dumped = source_.dump("granted");
  FakeCall call;
  MemoryReader in{dumped};
  ASSERT_TRUE(source_.restore(call, {{"database", "granted"}}, in).ok());
  std::string log;
  for (const LogLine& line : call.log_lines()) log += line.text + "\n";
  EXPECT_NE(log.find("function \"f\" is replaced"), std::string::npos) << log;
  EXPECT_NE(log.find("caller@%"), std::string::npos) << log;
}

TEST_F(MysqlExchange, WorksWhereEveryTableNeedsAPrimaryKey) {
  create("strict", "CREATE TABLE t (i INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO t VALUES (1)");
  const std::string dumped = source_.dump("strict");
  server_.sql("strict", "UPDATE t SET i = 2; SET GLOBAL innodb_force_primary_key = ON");
  const Outcome prepared = source_.prepare({{"databases", {"strict", "strict new"}}});
  const Outcome ended = restore("strict", dumped, "strict");
  server_.sql("", "SET GLOBAL innodb_force_primary_key = OFF");
  EXPECT_TRUE(prepared.ok()) << prepared.text();
  ASSERT_TRUE(ended.ok()) << ended.text();
  EXPECT_EQ(server_.sql("strict", "SELECT i FROM t"), "1");
}

TEST_F(MysqlExchange, KilledWhileTheCollationIsAnothersPutsItBack) {
  create("collated",
         "ALTER DATABASE COLLATE utf8mb4_bin; CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO"
         " SELECT 1; ALTER DATABASE COLLATE utf8mb4_unicode_ci");
  const std::string dumped = source_.dump("collated");
  ASSERT_NE(dumped.find("COLLATE utf8mb4_bin"), std::string::npos);
  server_.sql("collated", "DROP EVENT e");
  const std::string before = server_.content("collated");
  kill_at_the_end("collated", dumped);
  EXPECT_NE(server_.content("collated"), before);
  EXPECT_TRUE(source_.cleanup("collated", token_).ok());
  EXPECT_EQ(difference(server_.content("collated"), before), "");
}

TEST_F(MysqlExchange, HasTheRowsOfDumpsThatTurnAutocommitOff) {
  create("committed",
         "CREATE TABLE t (i INT) ENGINE=InnoDB; INSERT INTO t VALUES (1), (2);"
         "CREATE TABLE u (i INT) ENGINE=InnoDB; INSERT INTO u VALUES (3)");
  source_.config()["options"] = "--no-autocommit --skip-disable-keys --skip-add-locks";
  const std::string dumped = source_.dump("committed");
  ASSERT_NE(dumped.find("AUTOCOMMIT=0"), std::string::npos);
  const std::string before = server_.content("committed");
  ASSERT_TRUE(restore("committed", dumped, "committed").ok());
  EXPECT_EQ(difference(server_.content("committed"), before), "");
  const std::string table = "CREATE TABLE t (i INT) ENGINE=InnoDB;\nSET autocommit = 0;\n";
  for (const char* rows : {"INSERT INTO t VALUES (4);\nCOMMIT;\n", "INSERT INTO t VALUES (4);\n",
                           "START TRANSACTION;\nINSERT INTO t VALUES (4);\nCOMMIT RELEASE;\n"}) {
    const Outcome ended = restore("committed", table + rows);
    ASSERT_TRUE(ended.ok()) << ended.text();
    EXPECT_EQ(server_.sql("committed", "SELECT i FROM t"), "4") << rows;
    server_.sql("committed", "DROP TABLE t");
  }
}

}  // namespace
}  // namespace dbackup::testing
