#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "tests/integration/mysql_test_base.hpp"

namespace dbackup::testing {
namespace {

class MysqlRestore : public Mysql {
 protected:
  std::string tool_dump(std::vector<std::string> arguments) const {
    std::string out;
    std::string command = "mariadb-dump --no-defaults --socket=" + server_.socket() + " -uroot";
    for (const std::string& word : arguments) command += " '" + word + "'";
    FILE* pipe = popen(command.c_str(), "r");
    std::array<char, 65536> block{};
    for (size_t n; (n = fread(block.data(), 1, block.size(), pipe)) > 0;)
      out.append(block.data(), n);
    pclose(pipe);
    return out;
  }
};

TEST_F(MysqlRestore, OfADumpWithUseAndCreateDatabaseStaysInTheTarget) {
  create("shop",
         "CREATE TABLE t (i INT PRIMARY KEY, c TEXT); INSERT INTO t VALUES (1, 'USE `shop`; x');"
         "CREATE VIEW v AS SELECT shop.t.i FROM shop.t; CREATE FUNCTION f() RETURNS INT RETURN 1;"
         "CREATE VIEW w AS SELECT shop.f() AS x;"
         "CREATE TRIGGER tr BEFORE INSERT ON shop.t FOR EACH ROW SET NEW.c = 'x'");
  for (const char* extra :
       {"--add-drop-database", "--skip-comments", "--compact", "--lock-tables"}) {
    const std::string dumped = tool_dump({"--databases", "shop", "--routines", extra});
    ASSERT_NE(dumped.find("USE `shop`"), std::string::npos);
    const std::string before = server_.content("shop");
    server_.sql("", "DROP DATABASE IF EXISTS shop2");
    const Outcome ended = restore("shop2", dumped, "shop");
    ASSERT_TRUE(ended.ok()) << extra << ended.text();
    EXPECT_EQ(difference(server_.content("shop"), before), "") << extra;
    EXPECT_EQ(server_.sql("shop2", "SELECT i, c, (SELECT x FROM w) FROM t JOIN v USING (i)"),
              "1|USE `shop`; x|1");
    EXPECT_EQ(server_.content("shop2").find("`shop`"), server_.content("shop2").find("`shop`; x"))
        << "nothing of the copy points to the original";
  }
  // Without knowing what it was called, too.
  server_.sql("", "DROP DATABASE shop2");
  ASSERT_TRUE(
      restore("shop2", tool_dump({"--databases", "shop", "--compact", "--routines"}), "").ok());
  EXPECT_EQ(server_.sql("shop2", "SELECT COUNT(*) FROM t"), "1");
}

TEST_F(MysqlRestore, OfADumpOfSeveralDatabasesTakesTheOneThatIsAskedFor) {
  create("one", "CREATE TABLE t (i INT); INSERT INTO t VALUES (1)");
  create("two", "CREATE TABLE t (i INT); INSERT INTO t VALUES (2); CREATE TABLE only_two (i INT)");
  const std::string dumped = tool_dump({"--databases", "one", "two"});
  const std::string one = server_.content("one");
  for (const auto& [name, value] : std::map<std::string, std::string>{{"one", "1"}, {"two", "2"}}) {
    const Outcome ended = restore("taken", dumped, name);
    ASSERT_TRUE(ended.ok()) << ended.text();
    EXPECT_EQ(server_.sql("taken", "SELECT i FROM t"), value);
    server_.sql("", "DROP DATABASE taken");
  }
  EXPECT_EQ(difference(server_.content("one"), one), "");
  const Outcome ended = restore("taken", dumped, "three");
  EXPECT_EQ(ended.status, DBACKUP_NOT_FOUND) << ended.text();
  EXPECT_NE(ended.message.find("\"one\""), std::string::npos) << ended.message;
  EXPECT_EQ(server_.content("taken"), "absent");
}

TEST_F(MysqlRestore, NeverReachesIntoAnotherDatabaseOrTheServer) {
  create("bystander", "CREATE TABLE t (i INT); INSERT INTO t VALUES (1)");
  const std::string before = server_.content("bystander");
  const std::string head = "CREATE TABLE x (i INT);\n";
  for (const char* attack :
       {"INSERT INTO bystander.t VALUES (2);", "DROP TABLE `bystander`.`t`;",
        "DROP USER root@localhost;", "/*!50001 DELETE */ FROM bystander.t;",
        "\\! touch /tmp/dbackup-attack\n;", "system touch /tmp/dbackup-attack\n;",
        "SELECT 'x' INTO OUTFILE '/tmp/dbackup-attack';", "ALTER TABLE x RENAME bystander.y;",
        "CREATE TRIGGER bystander.a AFTER INSERT ON bystander.t FOR EACH ROW SET @x=1;"}) {
    const Outcome ended = restore("victim", head + attack, "bystander2");
    EXPECT_EQ(ended.status, DBACKUP_INVALID_ARGUMENT) << attack << ended.text();
    EXPECT_NE(ended.message.find("line 2"), std::string::npos) << ended.message;
    EXPECT_EQ(server_.content("victim"), "absent") << attack;
  }
  // Turning away is no attack: that part is simply not ours.
  ASSERT_TRUE(restore("victim", head + "USE bystander; DROP TABLE t; USE victim;", "victim").ok());
  EXPECT_EQ(difference(server_.content("bystander"), before), "");
  EXPECT_FALSE(std::filesystem::exists("/tmp/dbackup-attack"));
}

TEST_F(MysqlRestore, ThatIsCutLeavesTheTargetAsItWas) {
  create("kept", many_rows(5'000));
  const std::string dumped = source_.dump("kept");
  server_.sql("kept", "UPDATE big SET t = 'since' WHERE id % 2 = 0; CREATE TABLE newer (i INT)");
  const std::string before = server_.content("kept");
  constexpr uint64_t kBlock = 100'000;
  const uint64_t blocks = (dumped.size() + kBlock - 1) / kBlock;
  for (const char* target : {"kept", "brand new"}) {
    // The last round fails at the end alone, after every byte of the dump was given.
    for (const uint64_t nth : {uint64_t{1}, blocks / 2, blocks + 1}) {
      FakeCall call;
      MemoryReader in{dumped,
                      {.fail_at_call = nth, .status = DBACKUP_DATA_LOSS, .most_bytes = kBlock}};
      const Outcome ended =
          source_.restore(call, {{"database", target}, {"originalName", "kept"}}, in);
      EXPECT_EQ(ended.status, DBACKUP_DATA_LOSS) << nth << ended.text();
      EXPECT_EQ(difference(server_.content("kept"), before), "") << nth;
    }
    // A stream that ends well with a dump that does not.
    const Outcome ended =
        restore(target, dumped.substr(0, dumped.rfind("-- Dump completed")), "kept");
    EXPECT_EQ(ended.status, DBACKUP_DATA_LOSS) << ended.text();
    EXPECT_EQ(restore(target, dumped.substr(0, dumped.size() / 2), "kept").status,
              DBACKUP_DATA_LOSS);
  }
  EXPECT_EQ(difference(server_.content("kept"), before), "");
  EXPECT_EQ(server_.content("brand new"), "absent");
}

TEST_F(MysqlRestore, CancelledEndsAtOnceAndUndoesEverything) {
  create("long", many_rows(20'000));
  const std::string dumped = source_.dump("long");
  const std::string before = server_.content("long");
  for (const char* target : {"long", "never"}) {
    FakeCall call;
    MemoryReader in{dumped, {.most_bytes = 100'000}};
    Stopwatch since;
    in.before_read([&](uint64_t nth) {
      if (nth != 40) return;
      since.restart();
      call.cancel();
    });
    const Outcome ended = source_.restore(call, {{"database", target}}, in);
    EXPECT_LT(since.ms(), 3000) << target;
    EXPECT_EQ(ended.status, DBACKUP_CANCELLED) << ended.text();
  }
  EXPECT_EQ(difference(server_.content("long"), before), "");
  EXPECT_EQ(server_.content("never"), "absent");
}

TEST_F(MysqlRestore, CancelledAtAnyQuestionLeavesTheOldOrTheNewAndNothingBetween) {
  create("swapped",
         "CREATE TABLE t (i INT); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT * FROM t;"
         "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.i = 5;"
         "CREATE FUNCTION f() RETURNS INT RETURN 1");
  const std::string fresh = server_.content("swapped");
  const std::string dumped = source_.dump("swapped");
  const std::string other =
      "DELETE FROM t; CREATE OR REPLACE FUNCTION f() RETURNS INT RETURN 2;"
      "CREATE OR REPLACE VIEW v AS SELECT 7 AS i; DROP TRIGGER tr;"
      "CREATE TRIGGER tr AFTER DELETE ON t FOR EACH ROW SET @x = 1";
  server_.sql("swapped", other);
  const std::string old = server_.content("swapped");
  int undone = 0;
  for (uint64_t question = 1;; question += 1 + question / 4) {
    FakeCall call;
    MemoryReader in{dumped};
    call.cancel_at_question(question);
    const Outcome ended =
        source_.restore(call, {{"database", "swapped"}, {"originalName", "swapped"}}, in);
    if (ended.ok()) break;
    ++undone;
    ASSERT_EQ(ended.status, DBACKUP_CANCELLED) << question << ended.text();
    ASSERT_EQ(difference(server_.content("swapped"), old), "") << question;
  }
  EXPECT_GT(undone, 10);
  EXPECT_EQ(difference(server_.content("swapped"), fresh), "");
}

TEST_F(MysqlRestore, KilledInTheMiddleOfTheExchangeIsWalkedBackByTheCleanUp) {
  create("torn",
         "CREATE TABLE a (i INT); CREATE TABLE b (i INT); INSERT INTO a VALUES (1);"
         "CREATE TRIGGER tr BEFORE INSERT ON a FOR EACH ROW SET NEW.i = 5;"
         "CREATE VIEW v AS SELECT * FROM a");
  const std::string dumped = source_.dump("torn");
  server_.sql("torn",
              "UPDATE a SET i = 2; DROP TRIGGER tr; CREATE OR REPLACE VIEW v AS SELECT 3 AS i;"
              "CREATE TRIGGER tr BEFORE UPDATE ON a FOR EACH ROW SET NEW.i = 6");
  const std::string before = server_.content("torn");
  // Who reads in "b" holds the exchange up exactly where the triggers are gone and the tables are
  // not.
  std::thread reader{[&] {
    try {
      server_.sql("torn", "START TRANSACTION; SELECT * FROM b; SELECT SLEEP(60) AS holding");
    } catch (const std::exception&) {  // ended below
    }
  }};
  const std::string of_reader =
      " FROM information_schema.PROCESSLIST WHERE INFO LIKE '%AS holding'"
      " AND ID <> CONNECTION_ID()";
  EXPECT_TRUE(server_.wait_until("SELECT COUNT(*)" + of_reader, "1"));
  const std::string token = "11111111-7a53-4d0e-9f55-2c1f7a1d3e90";
  const pid_t child = fork();
  if (child == 0) {
    FakeCall call;
    MemoryReader in{dumped};
    source_.restore(call, {{"database", "torn"}, {"originalName", "torn"}, {"token", token}}, in);
    _exit(0);
  }
  EXPECT_TRUE(
      server_.wait_until("SELECT COUNT(*) FROM information_schema.PROCESSLIST"
                         " WHERE STATE LIKE 'Waiting for table metadata lock%'",
                         "1"));
  ::kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(
      server_.sql("",
                  "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'torn'"),
      "0");
  server_.sql("", "KILL " + server_.sql("", "SELECT ID" + of_reader));
  reader.join();
  EXPECT_TRUE(source_.cleanup("torn", token).ok());
  EXPECT_EQ(difference(server_.content("torn"), before), "");
}

TEST_F(MysqlRestore, ThatFailsInTheMiddleOfTheExchangeIsWalkedBack) {
  create("blocked",
         "CREATE TABLE a (i INT); CREATE TABLE b (i INT); INSERT INTO a VALUES (1);"
         "CREATE TRIGGER tr BEFORE INSERT ON a FOR EACH ROW SET NEW.i = 5;"
         "CREATE VIEW v AS SELECT * FROM a");
  // The event is only made at the very end, and this one no server takes.
  const std::string dumped =
      source_.dump("blocked") + "\nCREATE EVENT e ON SCHEDULE EVERY 0 DAY DO SELECT 1;\n";
  server_.sql("blocked",
              "UPDATE a SET i = 2; DROP TRIGGER tr; DROP TABLE b;"
              "CREATE TRIGGER other BEFORE UPDATE ON a FOR EACH ROW SET NEW.i = 6");
  const std::string before = server_.content("blocked");
  const Outcome ended = restore("blocked", dumped, "blocked");
  EXPECT_FALSE(ended.ok());
  EXPECT_NE(ended.message.find("create the events"), std::string::npos) << ended.message;
  EXPECT_EQ(difference(server_.content("blocked"), before), "");
  EXPECT_FALSE(restore("blocked new", dumped, "blocked").ok());
  EXPECT_EQ(server_.content("blocked new"), "absent");
}

TEST_F(MysqlRestore, RefusesToTearAForeignKeyOfATableThatStays) {
  create("keyed", "CREATE TABLE parent (i INT PRIMARY KEY) ENGINE=InnoDB");
  const std::string dumped = source_.dump("keyed");
  server_.sql("keyed",
              "CREATE TABLE child (i INT, FOREIGN KEY (i) REFERENCES parent (i)) ENGINE=InnoDB");
  const std::string before = server_.content("keyed");
  const Outcome ended = restore("keyed", dumped, "keyed");
  EXPECT_EQ(ended.status, DBACKUP_FAILED_PRECONDITION) << ended.text();
  EXPECT_NE(ended.message.find("\"child\""), std::string::npos) << ended.message;
  EXPECT_EQ(difference(server_.content("keyed"), before), "");
}

TEST_F(MysqlRestore, SaysWhatTheServerSaidAndAtWhichLine) {
  const Outcome ended =
      restore("wordy", "CREATE TABLE t (i INT);\n\nINSERT INTO t VALUES ('a', 2);\n");
  EXPECT_EQ(ended.status, DBACKUP_ABORTED);
  EXPECT_NE(ended.message.find("line 3"), std::string::npos) << ended.message;
  EXPECT_NE(ended.message.find("Column count"), std::string::npos) << ended.message;
  EXPECT_EQ(server_.content("wordy"), "absent");
}

TEST_F(MysqlRestore, PrivilegedUserCreatesWhatTheNormalOneFillsAndThenOwns) {
  server_.sql(
      "",
      "CREATE USER modest@'127.0.0.1' IDENTIFIED BY 'm'; CREATE USER modest@'%' IDENTIFIED BY 'm'");
  create("source",
         "CREATE TABLE t (i INT); INSERT INTO t VALUES (3); CREATE VIEW v AS SELECT * FROM t;"
         "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @x = 1");
  const std::string dumped = source_.dump("source");
  SourceBench modest{"mysql", source_.config(), "mysql"};
  modest.config()["user"] = "modest";
  modest.config()["password"] = "m";
  const Json privileged{{"user", server_.user()}, {"password", server_.password()}};
  const Outcome alone = modest.prepare({{"databases", {"for_modest"}}});
  EXPECT_EQ(alone.status, DBACKUP_PERMISSION_DENIED) << alone.text();
  EXPECT_NE(alone.message.find("privileged"), std::string::npos) << alone.message;
  EXPECT_FALSE(modest.restore("for_modest", dumped).ok());
  const Outcome prepared =
      modest.prepare({{"databases", {"for_modest"}}, {"privileged", privileged}});
  EXPECT_TRUE(prepared.ok()) << prepared.text();
  FakeCall call;
  MemoryReader in{dumped};
  const Outcome ended =
      modest.restore(call, {{"database", "for_modest"}, {"privileged", privileged}}, in);
  ASSERT_TRUE(ended.ok()) << ended.text();
  EXPECT_EQ(modest.dump("for_modest").find("CREATE TABLE `x`"), std::string::npos);
  EXPECT_EQ(
      server_.sql("",
                  "SELECT DEFINER FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'for_modest'"),
      "modest@127.0.0.1");
  EXPECT_EQ(server_.sql("", "SELECT Db, COUNT(*) FROM mysql.db WHERE User = 'modest' GROUP BY Db"),
            "for\\_modest|2")
      << "for this database alone, from everywhere, and nothing is left of the others";
}

TEST_F(MysqlRestore, GrantsByTheUsualNamesWhenTheAccountsCannotBeRead) {
  server_.sql("",
              "CREATE USER usual@'%' IDENTIFIED BY 'u'; CREATE USER creator@'%' IDENTIFIED BY 'c';"
              "GRANT CREATE USER ON *.* TO creator@'%';"
              "GRANT ALL ON `usual\\_%`.* TO creator@'%' WITH GRANT OPTION;"
              "GRANT ALL ON `dbackup\\_%`.* TO creator@'%' WITH GRANT OPTION");
  create("for usual", "CREATE TABLE t (i INT); INSERT INTO t VALUES (3)");
  SourceBench usual{"mysql", source_.config(), "mysql"};
  usual.config()["user"] = "usual";
  usual.config()["password"] = "u";
  FakeCall call;
  MemoryReader in{source_.dump("for usual")};
  const Outcome ended = usual.restore(
      call, {{"database", "usual_copy"}, {"privileged", {{"user", "creator"}, {"password", "c"}}}},
      in);
  ASSERT_TRUE(ended.ok()) << ended.text();
  EXPECT_EQ(server_.content("usual_copy"), server_.content("for usual"));
  EXPECT_EQ(server_.sql("", "SELECT Host FROM mysql.user WHERE User = 'usual'"), "%")
      << "no account is made by a grant, least of all one without a password";
}

TEST_F(MysqlRestore, UnderAnotherNameNamesWhatGoesOnUsingTheOldOne) {
  create("live", "CREATE TABLE t (i INT);"
                 "CREATE PROCEDURE plain() DELETE FROM live.t;"
                 "CREATE PROCEDURE ticked() DELETE FROM `live` . `t`;"
                 "CREATE PROCEDURE column_only() SELECT t.live FROM (SELECT 1 AS live) t;"
                 "CREATE EVENT hourly ON SCHEDULE EVERY 1 HOUR DO DELETE FROM live.t WHERE i < 0");
  const std::string dumped = source_.dump("live");
  const auto warned = [&](const std::string& target) {
    FakeCall call;
    MemoryReader in{dumped};
    const Outcome ended =
        source_.restore(call, {{"database", target}, {"originalName", "live"}}, in);
    EXPECT_TRUE(ended.ok()) << ended.text();
    std::set<std::string> out;
    for (const LogLine& line : call.log_lines()) {
      for (const char* name : {"plain", "ticked", "column_only", "hourly"}) {
        if (line.text.find("\"" + std::string{name} + "\" names database") != std::string::npos) {
          out.insert(name);
        }
      }
    }
    return out;
  };
  EXPECT_EQ(warned("copy of live"), (std::set<std::string>{"plain", "ticked", "hourly"}));
  EXPECT_EQ(warned("live"), std::set<std::string>{});
}

TEST_F(MysqlRestore, ReportsValuesTheServerHadToBend) {
  FakeCall call;
  MemoryReader in{"CREATE TABLE t (i TINYINT);\nINSERT INTO t VALUES (1000);\n"};
  ASSERT_TRUE(source_.restore(call, {{"database", "bent"}}, in).ok());
  std::string log;
  for (const LogLine& line : call.log_lines()) log += line.text + "\n";
  EXPECT_NE(log.find("line 2"), std::string::npos) << log;
  EXPECT_NE(log.find("Out of range"), std::string::npos) << log;
}

TEST_F(MysqlRestore, ShowsTablesAndRowsAsTheyAre) {
  create("shown",
         "CREATE TABLE `t ``1` (id INT PRIMARY KEY, c TEXT, b BLOB, d DATETIME DEFAULT "
         "'2024-01-02') CHARSET=utf8mb4;"
         "INSERT INTO `t ``1` VALUES (1, 'tab\\t nl\\n \xF0\x9F\x98\x80', UNHEX('00FF'), NULL),"
         " (2, NULL, NULL, '2024-05-06 07:08:09'), (3, '100%_\\\\', 'x', NULL);"
         "CREATE VIEW v AS SELECT 1 AS one");
  ItemList items;
  ASSERT_TRUE(source_.tables("shown", items).ok());
  ASSERT_EQ(items.items().size(), 2U);
  EXPECT_EQ(items.items()[0].at("name"), "t `1");
  EXPECT_EQ(items.items()[1].at("type"), "view");
  Json page = source_.rows({{"database", "shown"}, {"table", "t `1"}});
  EXPECT_EQ(page.at("totalCount"), 3);
  EXPECT_EQ(page.at("columns")[0].at("primaryKey"), true);
  EXPECT_EQ(page.at("rows")[0].at("c"), "tab\t nl\n \xF0\x9F\x98\x80");
  EXPECT_EQ(page.at("rows")[0].at("b"), "\\x00ff");
  EXPECT_TRUE(page.at("rows")[1].at("c").is_null());
  EXPECT_EQ(page.at("rows")[1].at("d"), "2024-05-06 07:08:09");
  page = source_.rows(
      {{"database", "shown"}, {"table", "t `1"}, {"search", "%_\\"}, {"searchColumn", "c"}});
  ASSERT_EQ(page.at("rows").size(), 1U);
  EXPECT_EQ(page.at("rows")[0].at("id"), "3");
  page = source_.rows({{"database", "shown"},
                       {"table", "t `1"},
                       {"sortBy", "c"},
                       {"sortDir", "desc"},
                       {"pageSize", 2},
                       {"page", 2}});
  EXPECT_EQ(page.at("rows")[0].at("id"), "2") << "without a value comes last";
  page = source_.rows({{"database", "shown"}, {"table", "t `1"}, {"search", "' OR 1=1 -- "}});
  EXPECT_EQ(page.at("totalCount"), 0);
}

}  // namespace
}  // namespace dbackup::testing
