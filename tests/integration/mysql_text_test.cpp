// What needs no server: cutting dumps into statements, judging them, versions, flags, option files.
#include <gtest/gtest.h>

#include <algorithm>

#include "plugins/mysql/dump_tool.hpp"
#include "plugins/mysql/grants.hpp"
#include "plugins/mysql/sql_scanner.hpp"
#include "plugins/mysql/statement.hpp"

namespace dbackup::mysql {
namespace {

/// Cut into statements while the text arrives `step` bytes at a time.
std::vector<std::string> cut(const std::string& sql, size_t step, QuoteRules rules = {}) {
  size_t at = 0;
  SqlScanner scanner{[&](std::span<char> buffer) {
                       const size_t n = std::min({buffer.size(), step, sql.size() - at});
                       std::copy_n(sql.data() + at, n, buffer.data());
                       at += n;
                       return n;
                     },
                     size_t{1} << 20};
  scanner.set_rules(rules);
  std::vector<std::string> out;
  ScannedStatement statement;
  while (scanner.next(statement)) {
    out.push_back(std::to_string(statement.line) + ":" + std::string{statement.text});
  }
  return out;
}

TEST(MysqlScanner, CutsAtDelimitersOutsideOfQuotesAndComments) {
  const std::string sql =
      "-- MariaDB dump 10.19  Distrib\n-- it's; a comment\nSELECT 'a;''b\\';c', \"d;\\\"\", "
      "`e;``f`;\n"
      "# x;'\n/* ; ' */ INSERT INTO t VALUES (1, -- y;\n 2), (3--1);\n"
      "/*!50003 SET x = 1; */;\nDELIMITER ;;\nCREATE TRIGGER t BEGIN a; b; END ;;\ndelimiter ;\n"
      "/*!50003 CREATE*/ /*!50017 DEFINER=`a;b`@`c`*/ /*!50003 VIEW /* ; */ v */;\nlast";
  const std::vector<std::string> wanted{
      "3:SELECT 'a;''b\\';c', \"d;\\\"\", `e;``f`",
      "5:INSERT INTO t VALUES (1, -- y;\n 2), (3--1)",
      "7:/*!50003 SET x = 1; */",
      "9:CREATE TRIGGER t BEGIN a; b; END ",
      "11:/*!50003 CREATE*/ /*!50017 DEFINER=`a;b`@`c`*/ /*!50003 VIEW /* ; */ v */",
      "12:last"};
  for (size_t step = 1; step < sql.size() + 2; ++step) EXPECT_EQ(cut(sql, step), wanted) << step;
}

TEST(MysqlScanner, FollowsTheModeOfTheSession) {
  EXPECT_EQ(cut("x '\\';y", 2, {.plain_backslash = true}),
            (std::vector<std::string>{"1:x '\\'", "1:y"}));
  EXPECT_EQ(cut("x \"\\\";y", 2, {.ansi_quotes = true}),
            (std::vector<std::string>{"1:x \"\\\"", "1:y"}));
}

TEST(MysqlScanner, RefusesAnEndInTheMiddle) {
  for (const char* sql : {"INSERT INTO t VALUES ('abc", "SELECT `a", "/* x", "/*!50003 CREATE"}) {
    EXPECT_THROW(cut(sql, 4), Error) << sql;
  }
  EXPECT_THROW(cut(std::string(3'000'000, 'x'), 100'000), Error);
}

RestoreRules rules_for(const std::string& original = "old") {
  return {.server = ServerVersion::parse("10.11.19-MariaDB"),
          .quotes = {},
          .original = original,
          .working = "work"};
}

std::string run_as(const std::string& sql, const RestoreRules& rules = rules_for()) {
  const Verdict verdict = judge(sql, 1, rules);
  return verdict.text.empty() ? sql : verdict.text;
}

TEST(MysqlStatements, LoseTheirOwnDatabaseAndNothingElse) {
  EXPECT_EQ(run_as("INSERT INTO `old`.`t` VALUES ('`old`.`t`')"),
            "INSERT INTO `t` VALUES ('`old`.`t`')");
  EXPECT_EQ(run_as("DROP TABLE IF EXISTS old.a, `work` . `b`"), "DROP TABLE IF EXISTS a, `b`");
  EXPECT_EQ(run_as("CREATE TRIGGER old.x BEFORE INSERT ON old.t FOR EACH ROW SET @a = 1"),
            "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET @a = 1");
}

TEST(MysqlStatements, OfOtherDatabasesAndOfTheServerAreRefused) {
  for (const char* sql : {"INSERT INTO other.t VALUES (1)",
                          "REPLACE `other`.t VALUES (1)",
                          "DROP TABLE a, other.b",
                          "CREATE TABLE other.t (i INT)",
                          "CREATE VIEW `other`.v AS SELECT 1",
                          "CREATE TRIGGER x AFTER DELETE ON other.t FOR EACH ROW SET @a = 1",
                          "ALTER TABLE t RENAME TO other.t",
                          "ALTER TABLE other.t ADD i INT",
                          "GRANT ALL ON *.* TO x",
                          "CREATE USER x",
                          "DROP USER x",
                          "SET PASSWORD = 'x'",
                          "LOAD DATA INFILE 'x' INTO TABLE t",
                          "SELECT 1 INTO OUTFILE '/tmp/x'",
                          "SELECT SETVAL(`s`, 7, 0) INTO OUTFILE '/tmp/x'",
                          "SELECT SETVAL(`s`, 7, 0), LOAD_FILE('/etc/passwd')",
                          "DO SETVAL(`s`, (SELECT 1)), SLEEP(9)",
                          "SELECT SETVAL(`s`, LOAD_FILE('/etc/passwd'))",
                          "SELECT SETVAL(`s`, 7, 0",
                          "CALL p()",
                          "UPDATE other.t SET i = 1",
                          "DELETE FROM t",
                          "FLUSH TABLES",
                          "RENAME TABLE t TO other.t",
                          "TRUNCATE t",
                          "SHUTDOWN",
                          "\\! touch x",
                          "system touch x",
                          "source x",
                          "INSTALL PLUGIN x SONAME 'y'",
                          "KILL 1",
                          "EXECUTE s",
                          "CREATE FUNCTION f RETURNS STRING SONAME 'x.so'",
                          "ALTER DATABASE other CHARACTER SET latin1",
                          "/*!50001 INSERT INTO*/ /*!50001 other.t VALUES (1)*/",
                          "SET STATEMENT a=1 FOR DELETE FROM t",
                          "/*!99999 INSERT INTO t VALUES*/ DROP DATABASE_X y",
                          "PREPARE s FROM 'x'"}) {
    EXPECT_THROW(judge(sql, 1, rules_for()), Error) << sql;
  }
}

TEST(MysqlStatements, ThatChooseOrMakeADatabaseAreOnlyNoted) {
  using Act = Verdict::Act;
  EXPECT_EQ(judge("USE `o``x`", 1, rules_for()).name, "o`x");
  EXPECT_EQ(
      judge("CREATE DATABASE /*!32312 IF NOT EXISTS*/ `x` /*!40100 DEFAULT CHARACTER SET y */", 1,
            rules_for())
          .act,
      Act::CreateDatabase);
  EXPECT_EQ(judge("/*!40000 DROP DATABASE IF EXISTS `x`*/", 1, rules_for()).act, Act::Skip);
  EXPECT_EQ(judge("SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ ''", 1, rules_for()).act, Act::Skip);
  EXPECT_EQ(judge("SET @@SESSION.SQL_LOG_BIN= 0", 1, rules_for()).act, Act::Skip);
  EXPECT_EQ(judge("LOCK TABLES `t` WRITE", 1, rules_for()).act, Act::Skip);
  EXPECT_EQ(judge("/*!40101 SET NAMES utf8mb4 */", 1, rules_for()).act, Act::Set);
  EXPECT_EQ(judge("/*M!999999\\- enable the sandbox mode */ ", 1, rules_for()).act, Act::Skip);
  EXPECT_EQ(run_as("ALTER DATABASE `old` CHARACTER SET latin1 "),
            "ALTER DATABASE `work`  CHARACTER SET latin1 ");
  EXPECT_EQ(run_as("ALTER DATABASE CHARACTER SET latin1"),
            "ALTER DATABASE `work` CHARACTER SET latin1");
}

TEST(MysqlStatements, ThatCommitAreRunInTheirPlainForm) {
  EXPECT_EQ(judge("commit", 1, rules_for()).act, Verdict::Act::Run);
  EXPECT_EQ(run_as("COMMIT AND CHAIN RELEASE"), "COMMIT");
  EXPECT_EQ(judge("START TRANSACTION", 1, rules_for()).act, Verdict::Act::Skip);
}

TEST(MysqlStatements, OfSequencesSetThemToANumber) {
  EXPECT_EQ(run_as("SELECT SETVAL(`old`.`s`, 7, 0)"), "SELECT SETVAL(`s`, 7, 0)");
  EXPECT_EQ(run_as("DO SETVAL(`s`, -9223372036854775807, 1, 2)"),
            "DO SETVAL(`s`, -9223372036854775807, 1, 2)");
}

TEST(MysqlStatements, LoseTheirDefinerUnlessItIsKept) {
  const std::string sql =
      "/*!50003 CREATE*/ /*!50017 DEFINER=`ro ot`@`%`*/ /*!50003 TRIGGER t BEFORE INSERT ON a FOR "
      "EACH "
      "ROW SET @d = 'DEFINER=x' */";
  EXPECT_EQ(run_as(sql),
            "/*!50003 CREATE*/ /*!50017 */ /*!50003 TRIGGER t BEFORE INSERT ON a FOR EACH "
            "ROW SET @d = 'DEFINER=x' */");
  EXPECT_EQ(run_as("CREATE DEFINER=CURRENT_USER() PROCEDURE p() SELECT 1"),
            "CREATE  PROCEDURE p() SELECT 1");
  RestoreRules keeping = rules_for();
  keeping.keep_definers = true;
  EXPECT_EQ(run_as(sql, keeping), sql);
}

TEST(MysqlStatements, OfViewsLoseTheDatabaseBeforeFunctionsAndTables) {
  EXPECT_EQ(
      run_as("CREATE VIEW v AS select `old`.`f`(`old`.`id`) AS `x`,`old`.`t`.`id` AS `y` from "
             "(`old`.`t` join `other`.`u`)"),
      "CREATE VIEW v AS select `f`(`old`.`id`) AS `x`,`t`.`id` AS `y` from "
      "(`old`.`t` join `other`.`u`)");
  EXPECT_EQ(run_as("CREATE TABLE t (i INT DEFAULT nextval(`old`.`s`), c TEXT DEFAULT '`old`.`s`')"),
            "CREATE TABLE t (i INT DEFAULT nextval(`s`), c TEXT DEFAULT '`old`.`s`')");
}

TEST(MysqlVersions, AreReadFromServersAndTools) {
  EXPECT_EQ(ServerVersion::parse("10.11.19-MariaDB-0+deb12u1").number, 101119);
  EXPECT_TRUE(ServerVersion::parse("5.5.5-10.6.4-MariaDB").mariadb);
  EXPECT_EQ(ServerVersion::parse("5.5.5-10.6.4-MariaDB").shown, "10.6.4");
  EXPECT_EQ(ServerVersion::parse("8.4.3").number, 80403);
  EXPECT_EQ(ServerVersion::parse("5.7.44-log").shown, "5.7.44");
  EXPECT_FALSE(ServerVersion::parse("8.0.36-0ubuntu0.22.04.1").mariadb);
  const auto tool = [](const char* line) { return ToolVersion::parse(line); };
  EXPECT_EQ(tool("mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu").number,
            101119);
  EXPECT_EQ(tool("mariadb-dump from 11.4.2-MariaDB, client 10.19 for Linux").number, 110402);
  EXPECT_TRUE(tool("mariadb-dump from 11.4.2-MariaDB, client 10.19 for Linux").mariadb);
  EXPECT_EQ(tool("mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)").number,
            80036);
  EXPECT_EQ(tool("mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)").number, 50744);
}

TEST(MysqlVersions, DecideWhatIsRunOfConditionalComments) {
  const auto maria = ServerVersion::parse("10.11.19-MariaDB");
  const auto eight = ServerVersion::parse("8.0.36");
  EXPECT_TRUE(runs_conditional(maria, false, 50001));
  EXPECT_FALSE(runs_conditional(maria, false, 80016));
  EXPECT_TRUE(runs_conditional(maria, true, 100100));
  EXPECT_FALSE(runs_conditional(maria, true, 999999));
  EXPECT_TRUE(runs_conditional(eight, false, 80016));
  EXPECT_FALSE(runs_conditional(eight, true, 100100));
}

bool has(const std::vector<std::string>& list, const std::string& flag) {
  return std::find(list.begin(), list.end(), flag) != list.end();
}

TEST(MysqlTool, GetsOnlyFlagsItKnows) {
  const auto maria = ServerVersion::parse("10.11.19-MariaDB");
  const auto flags = [](const ServerVersion& server, bool mariadb, int number) {
    return dump_flags({.mariadb = mariadb, .number = number}, server);
  };
  for (const char* wanted :
       {"--single-transaction", "--routines", "--events", "--triggers", "--hex-blob", "--quick",
        "--default-character-set=utf8mb4", "--max-allowed-packet=1G"}) {
    EXPECT_TRUE(has(flags(maria, true, 101119), wanted)) << wanted;
  }
  EXPECT_FALSE(has(flags(maria, true, 101119), "--column-statistics=0"));
  EXPECT_FALSE(has(flags(maria, true, 101119), "--set-gtid-purged=OFF"));
  EXPECT_TRUE(has(flags(maria, false, 80036), "--column-statistics=0"));
  EXPECT_TRUE(has(flags(maria, false, 80036), "--set-gtid-purged=OFF"));
  EXPECT_FALSE(has(flags(ServerVersion::parse("8.4.3"), false, 80403), "--column-statistics=0"));
  EXPECT_FALSE(has(flags(ServerVersion::parse("5.5.60"), false, 50560), "--set-gtid-purged=OFF"));
}

TEST(MysqlTool, GetsItsLoginInAFileOfItsOwnDialect) {
  Login login{.host = "db", .port = 3307, .user = "u", .password = "a\\b\"c#d;\n' ü"};
  const ToolVersion maria{.mariadb = true, .number = 101119};
  EXPECT_NE(login_file(login, maria).find("password=\"a\\\\b\\\"c#d;\\n' ü\"\n"),
            std::string::npos);
  EXPECT_NE(login_file(login, maria).find("protocol=tcp\nhost=\"db\"\nport=3307\n"),
            std::string::npos);
  login.ssl_mode = SslMode::VerifyFull;
  login.ssl_root_cert = "/ca";
  EXPECT_NE(login_file(login, maria).find("ssl-ca=\"/ca\"\nssl-verify-server-cert\n"),
            std::string::npos);
  EXPECT_NE(
      login_file(login, {.mariadb = false, .number = 80036}).find("ssl-mode=VERIFY_IDENTITY\n"),
      std::string::npos);
  EXPECT_EQ(login_file(login, {.mariadb = false, .number = 50600}).find("ssl-mode"),
            std::string::npos);
  login.ssl_mode = SslMode::Disable;
  EXPECT_NE(login_file(login, maria).find("skip-ssl\n"), std::string::npos);
  EXPECT_NE(login_file(login, {.mariadb = false, .number = 80036}).find("ssl-mode=DISABLED\n"),
            std::string::npos);
  login.host = "/run/s";
  EXPECT_EQ(login_file(login, maria).find("tcp"), std::string::npos);
}

TEST(MysqlGrants, OnAWholeDatabaseCountWithAllTheirPatterns) {
  Grants grants;
  for (const char* line :
       {"GRANT `r` TO `u`@`%`",
        "GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*A ON `x`.*'",
        "GRANT SELECT, SHOW VIEW ON `shop\\_%`.* TO `u`@`%`",
        "GRANT EVENT ON `shop\\_a`.* TO `u`@`%`", "GRANT SELECT (`a`, `b`) ON `x`.* TO `u`@`%`",
        "GRANT SELECT ON `mysql`.`proc` TO `u`@`%`", "GRANT TRIGGER ON `shop_a`.* TO `r`",
        "GRANT EXECUTE ON PROCEDURE `x`.`y` TO `u`@`%`", "SET DEFAULT ROLE `r` FOR `u`@`%`"}) {
    grants.add(line);
  }
  EXPECT_TRUE(grants.allow("SHOW VIEW", "shop_b"));
  EXPECT_FALSE(grants.allow("SHOW VIEW", "shopXb")) << "the '_' stands for itself";
  EXPECT_TRUE(grants.allow("EVENT", "shop_a"));
  EXPECT_FALSE(grants.allow("SELECT", "shop_a")) << "the server takes the closest pattern alone";
  EXPECT_TRUE(grants.allow("TRIGGER", "shop_a")) << "that of a role besides";
  EXPECT_TRUE(grants.allow("TRIGGER", "shopXa"));
  EXPECT_FALSE(grants.allow("SELECT", "x"));
  EXPECT_FALSE(grants.allow("EXECUTE", "x"));
  EXPECT_TRUE(grants.allow_table("SELECT", "mysql", "proc"));
  EXPECT_FALSE(grants.allow_table("SELECT", "mysql", "db"));
  EXPECT_FALSE(grants.allow_everywhere("SELECT"));
}

TEST(MysqlGrants, OnTheWholeServerCountUnlessTakenAwayAgain) {
  Grants grants;
  grants.add("GRANT ALL PRIVILEGES ON *.* TO 'root'@'localhost' WITH GRANT OPTION");
  EXPECT_TRUE(grants.allow("TRIGGER", "any"));
  EXPECT_TRUE(grants.allow_everywhere("SHOW_ROUTINE"));
  EXPECT_TRUE(grants.allow_table("SELECT", "mysql", "proc"));
  grants.add("REVOKE SELECT, TRIGGER ON `any`.* FROM `root`@`localhost`");
  EXPECT_FALSE(grants.allow("TRIGGER", "any"));
  EXPECT_TRUE(grants.allow("TRIGGER", "other"));
}

TEST(MysqlFlags, ThatChangeConnectionOutputOrFormatAreRefused) {
  for (const char* flag : {"--host=x",
                           "--hos=x",
                           "-hx",
                           "-P1",
                           "--port=1",
                           "--user=x",
                           "-u",
                           "--password",
                           "-px",
                           "-S",
                           "--socket=x",
                           "--protocol=pipe",
                           "--defaults-file=x",
                           "--databases",
                           "-B",
                           "--all-databases",
                           "-A",
                           "--result-file=x",
                           "-rx",
                           "--tab=x",
                           "-T",
                           "--xml",
                           "-X",
                           "--compact",
                           "--skip-comments",
                           "--skip_comments",
                           "--ssl",
                           "--ssl-mode=DISABLED",
                           "--skip-ssl",
                           "--",
                           "other",
                           "--help",
                           "-V",
                           "--log-error=x",
                           "--plugin-dir=x",
                           "-vX",
                           "--tables",
                           "--loose-host=x",
                           "--fields-escaped-by=x",
                           "-#d",
                           "--system=all",
                           "--skip-set-charset",
                           "--default-character-set=latin1",
                           "--default_character-set=utf8",
                           "--default-character=latin1",
                           "--default-character-set",
                           "-N"}) {
    EXPECT_THROW(check_dump_flags({flag}), Error) << flag;
  }
  for (const char* flag :
       {"--where=a > 1", "-wa>1", "--ignore-table=a.b", "--no-data", "-d", "--skip-events",
        "--skip-triggers", "--max-allowed-packet=1G", "-v", "-f", "--net-buffer-length=16384",
        "--order-by-primary", "--complete-insert", "--skip-extended-insert",
        "--skip-single-transaction", "--lock-tables", "--default-character-set=utf8mb4",
        "--default-character-set=binary"}) {
    EXPECT_NO_THROW(check_dump_flags({flag})) << flag;
  }
}

TEST(MysqlDumps, AreFinishedOnlyByTheirLastLine) {
  EXPECT_TRUE(is_finished("x;\n-- Dump completed on 2024-01-01 10:00:00\n"));
  EXPECT_TRUE(is_finished("x;\n-- Dump completed"));
  EXPECT_FALSE(is_finished("-- Dump completed\nINSERT"));
  EXPECT_FALSE(is_finished("INSERT INTO t"));
}

}  // namespace
}  // namespace dbackup::mysql
