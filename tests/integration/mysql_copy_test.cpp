#include "tests/integration/mysql_test_base.hpp"

namespace dbackup::testing {
namespace {

// Everything that makes a dump more than rows. The client of server_.sql() takes ';' for the end of
// a statement, so bodies are single statements here; compound ones follow one by one.
constexpr const char* kTables = R"sql(
SET foreign_key_checks = 0;
CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, b_id INT, name VARCHAR(100) DEFAULT 'x''y\\z', `Ütf8 "col`` x` TEXT, CONSTRAINT a_b FOREIGN KEY (b_id) REFERENCES b (id)) ENGINE=InnoDB COMMENT='it''s a "comment" with 😀';
CREATE TABLE b (id INT PRIMARY KEY, a_id INT NOT NULL, twice INT AS (a_id * 2) STORED, CONSTRAINT b_a FOREIGN KEY (a_id) REFERENCES a (id) ON DELETE CASCADE) ENGINE=InnoDB;
INSERT INTO a (id, b_id, name, `Ütf8 "col`` x`) SELECT seq, seq, CONCAT('n', seq), '4-byte 😀 \n tab\t nul\0 back\\slash ''; DROP TABLE a; -- "quotes" /* c */ # 数据' FROM seq_1_to_50;
INSERT INTO b (id, a_id) SELECT seq, seq FROM seq_1_to_50;
CREATE TABLE bytes (x LONGBLOB, f DOUBLE, n DECIMAL(30,10), t TIMESTAMP(6) NULL, j JSON, e ENUM('so so', 'it''s', 'größe 数'), s SET('a','b'), bits BIT(12), g GEOMETRY);
INSERT INTO bytes VALUES (UNHEX('00ff5c0a0d2e271a22'), -1.5e-300, -0.0000000001, '2024-03-31 01:30:00.123456', '{"k":["ü",null]}', 'größe 数', 'a,b', b'101010101010', ST_GeomFromText('POINT(1 2)'));
INSERT INTO bytes (x) VALUES (REPEAT(UNHEX('00ff5c27'), 300000)), (''), (NULL);
CREATE TABLE `empty table` (i INT) ENGINE=InnoDB;
CREATE TABLE `my isam` (i INT, t TEXT, FULLTEXT (t)) ENGINE=MyISAM;
INSERT INTO `my isam` VALUES (1, 'one'), (2, NULL);
CREATE TABLE parted (k INT, v TEXT) PARTITION BY RANGE (k) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO parted SELECT seq, seq FROM seq_1_to_30;
CREATE SEQUENCE numbers START WITH 7 INCREMENT BY 3 NOCACHE;
CREATE TABLE numbered (id BIGINT DEFAULT NEXTVAL(numbers) PRIMARY KEY, v INT);
INSERT INTO numbered (v) VALUES (1), (2);
CREATE TABLE history (i INT) WITH SYSTEM VERSIONING;
CREATE TABLE latin (c VARCHAR(20)) CHARSET=latin1;
INSERT INTO latin VALUES ('größe');
CREATE TABLE 表 (列 VARCHAR(10) PRIMARY KEY);
INSERT INTO 表 VALUES ('值');
)sql";

constexpr const char* kCode = R"sql(
CREATE FUNCTION plus_one(n INT) RETURNS INT DETERMINISTIC RETURN n + 1;
CREATE VIEW z_base AS SELECT a.id, b.twice, plus_one(a.id) AS more FROM a JOIN b ON a.b_id = b.id;
CREATE VIEW a_on_top AS SELECT id, 'ü😀' AS `größe ``x``` FROM z_base WHERE more > 1;
CREATE SQL SECURITY INVOKER VIEW checked AS SELECT * FROM b WHERE a_id > 0 WITH CASCADED CHECK OPTION;
CREATE TRIGGER a_second BEFORE INSERT ON a FOR EACH ROW SET NEW.name = CONCAT(NEW.name, '; -- "2" 😀');
CREATE TRIGGER a_first BEFORE INSERT ON a FOR EACH ROW PRECEDES a_second SET NEW.name = CONCAT(NEW.name, '1');
CREATE EVENT `every day` ON SCHEDULE EVERY 1 DAY STARTS '2024-01-01 00:00:00' ENABLE COMMENT 'c' DO DELETE FROM parted WHERE k > 1000;
CREATE EVENT sleeping ON SCHEDULE EVERY 1 HOUR STARTS '2024-01-01 00:00:00' DISABLE DO DELETE FROM parted;
CREATE PROCEDURE `no ; end`(OUT n INT) COMMENT 'it''s' SELECT COUNT(*) INTO n FROM a;
)sql";

class MysqlCopy : public Mysql {
 protected:
  void create_awkward(const std::string& name) {
    create(name, std::string{"ALTER DATABASE COLLATE utf8mb4_unicode_ci;"} + kTables);
    server_.sql(name, kCode);
    // Compound bodies, other modes and other character sets, as clients of all ages leave them.
    server_.sql(name,
                "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'; CREATE PROCEDURE odd()"
                " BEGIN NOT ATOMIC SELECT 'back\\' AS \"a;b\"; /* ' */ SELECT 2; END");
    server_.sql(name,
                "SET NAMES latin1; CREATE FUNCTION old_words() RETURNS VARCHAR(20) RETURN "
                "'gr\xF6\xDF"
                "e'; CREATE VIEW old_view AS SELECT 'gr\xF6\xDF"
                "e' AS w");
  }
};

TEST_F(MysqlCopy, OfEverythingUnderAwkwardNames) {
  const std::string name = "größe `x` it's \"a\" \\ 日本; --";
  create_awkward(name);
  const std::string before = server_.content(name);
  const std::string dumped = source_.dump(name);
  const std::string copy = "-copy % of _`y` \xF0\x9F\x99\x82";
  // The emoji is outside what names can hold: the server says so, and nothing is left.
  EXPECT_FALSE(restore(copy, dumped, name).ok());
  const std::string good = "-copy % of _`y` ß";
  for (int round = 0; round < 2; ++round) {  // the second time over the first copy
    const Outcome ended = restore(good, dumped, name);
    ASSERT_TRUE(ended.ok()) << ended.text() << "\n" << ended.detail;
    EXPECT_EQ(difference(server_.content(good), before), "") << round;
  }
  EXPECT_EQ(difference(server_.content(name), before), "");
  EXPECT_EQ(server_.sql(good, "SELECT old_words(), w FROM old_view"), "größe|größe");
  EXPECT_EQ(server_.sql(good, "SELECT COUNT(*), MAX(more) FROM z_base"), "50|51");
  // The copy stands on its own feet: it goes on working when the original is gone.
  server_.sql("", "DROP DATABASE " + ticked(name));
  EXPECT_EQ(server_.sql(good, "SELECT COUNT(*) FROM a_on_top"), "50");
  EXPECT_EQ(server_.sql(good, "INSERT INTO numbered (v) VALUES (3); SELECT MAX(id) FROM numbered"),
            "13");
  server_.sql("", "DROP DATABASE " + ticked(good));
}

TEST_F(MysqlCopy, OverTheOriginalBringsEverythingBack) {
  create_awkward("original");
  const std::string before = server_.content("original");
  const std::string dumped = source_.dump("original");
  server_.sql(
      "original",
      "SET foreign_key_checks = 0; DROP TABLE b; UPDATE bytes SET x = 'gone';"
      "DROP TRIGGER a_first; DROP VIEW a_on_top; CREATE TABLE a_on_top (i INT);"
      "DROP TABLE parted; CREATE VIEW parted AS SELECT 1 AS k;"
      "CREATE OR REPLACE FUNCTION plus_one(n INT) RETURNS INT RETURN 0; DROP EVENT sleeping;"
      "CREATE TRIGGER c_third AFTER DELETE ON a FOR EACH ROW SET @x = 1");
  const Outcome ended = restore("original", dumped, "original");
  ASSERT_TRUE(ended.ok()) << ended.text() << "\n" << ended.detail;
  EXPECT_EQ(difference(server_.content("original"), before), "");
}

TEST_F(MysqlCopy, LeavesAloneWhatTheDumpDoesNotHold) {
  create("partly", "CREATE TABLE t (i INT PRIMARY KEY); INSERT INTO t VALUES (1)");
  const std::string dumped = source_.dump("partly");
  server_.sql("partly",
              "CREATE TABLE mine (i INT); INSERT INTO mine VALUES (9); UPDATE t SET i = 2;"
              "CREATE VIEW of_mine AS SELECT * FROM mine, (SELECT i AS k FROM t) x;"
              "CREATE FUNCTION own() RETURNS INT RETURN 4");
  const Outcome ended = restore("partly", dumped, "partly");
  ASSERT_TRUE(ended.ok()) << ended.text();
  EXPECT_EQ(server_.sql("partly", "SELECT i, k, own() FROM of_mine"), "9|1|4");
}

TEST_F(MysqlCopy, OfAnEmptyDatabaseKeepsItsCharacterSet) {
  create("nothing", "ALTER DATABASE CHARACTER SET latin2 COLLATE latin2_hungarian_ci");
  ASSERT_TRUE(restore("nothing copy", source_.dump("nothing"), "nothing").ok());
  EXPECT_EQ(difference(server_.content("nothing copy"), server_.content("nothing")), "");
}

TEST_F(MysqlCopy, GivesObjectsToWhoRestoresUnlessAskedToKeepTheirDefiners) {
  server_.sql("", "CREATE USER gone@'10.0.0.1'");
  create("owned",
         "CREATE TABLE t (i INT); CREATE DEFINER=gone@'10.0.0.1' VIEW v AS SELECT * FROM t;"
         "CREATE DEFINER=gone@'10.0.0.1' FUNCTION f() RETURNS INT RETURN 1;"
         "CREATE DEFINER=gone@'10.0.0.1' TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @x = 1;"
         "CREATE DEFINER=gone@'10.0.0.1' EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1");
  const std::string dumped = source_.dump("owned");
  server_.sql("", "DROP USER gone@'10.0.0.1'");
  const std::string definers =
      "SELECT GROUP_CONCAT(DISTINCT d) FROM (SELECT DEFINER d FROM information_schema.VIEWS WHERE"
      " TABLE_SCHEMA = 'owned copy' UNION ALL SELECT DEFINER FROM information_schema.ROUTINES WHERE"
      " ROUTINE_SCHEMA = 'owned copy' UNION ALL SELECT DEFINER FROM information_schema.TRIGGERS "
      "WHERE"
      " TRIGGER_SCHEMA = 'owned copy' UNION ALL SELECT DEFINER FROM information_schema.EVENTS WHERE"
      " EVENT_SCHEMA = 'owned copy') x";
  // Without any right on the whole server.
  server_.sql("",
              "CREATE USER plain@'%' IDENTIFIED BY 'p'; GRANT ALL ON `owned copy`.* TO plain@'%';"
              "GRANT ALL ON `dbackup\\_%`.* TO plain@'%'");
  SourceBench plain{"mysql", source_.config(), "mysql"};
  plain.config()["user"] = "plain";
  plain.config()["password"] = "p";
  const Outcome ended = plain.restore("owned copy", dumped);
  ASSERT_TRUE(ended.ok()) << ended.text();
  EXPECT_EQ(server_.sql("", definers), "plain@%");
  plain.config()["definers"] = "keep";
  EXPECT_EQ(plain.restore("owned copy", dumped).status, DBACKUP_PERMISSION_DENIED);
  EXPECT_EQ(server_.sql("", definers), "plain@%");
  source_.config()["definers"] = "keep";
  ASSERT_TRUE(restore("owned copy", dumped).ok());
  EXPECT_EQ(server_.sql("", definers), "gone@10.0.0.1");
  // Taking such an object away could not be undone without more rights, so it is not begun.
  plain.config()["definers"] = "strip";
  const Outcome refused = plain.restore("owned copy", dumped);
  EXPECT_EQ(refused.status, DBACKUP_PERMISSION_DENIED) << refused.text();
  EXPECT_NE(refused.message.find("privileged user"), std::string::npos) << refused.message;
  EXPECT_EQ(server_.sql("", definers), "gone@10.0.0.1");
}

}  // namespace
}  // namespace dbackup::testing
