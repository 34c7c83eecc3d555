#include "tests/integration/postgres_test_base.hpp"

namespace dbackup::testing {
namespace {

// Everything that makes a dump more than rows: cycles, generated and dropped columns, quoting,
// bytes.
constexpr const char* kAwkward = R"sql(
CREATE SCHEMA "We ird.Schema";
CREATE TYPE "We ird.Schema".mood AS ENUM ('so so', 'it''s fine', '😀');
CREATE DOMAIN short_text AS text CHECK (length(value) < 100);
CREATE TABLE a (id serial PRIMARY KEY, b_id int, name short_text DEFAULT 'x''y\z', "Ütf8 ""col""" text, gone int);
CREATE TABLE b (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a_id int NOT NULL, twice int GENERATED ALWAYS AS (a_id * 2) STORED);
ALTER TABLE a DROP COLUMN gone;
INSERT INTO a (b_id, name, "Ütf8 ""col""") SELECT i, 'n' || i, E'4-byte 😀 \n tab\t back\\slash \\. end' FROM generate_series(1, 50) i;
INSERT INTO b (a_id) SELECT i FROM generate_series(1, 50) i;
ALTER TABLE a ADD CONSTRAINT a_b FOREIGN KEY (b_id) REFERENCES b DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE b ADD CONSTRAINT b_a FOREIGN KEY (a_id) REFERENCES a;
CREATE TABLE bytes (x bytea, f float8, n numeric, t timestamptz, j jsonb, arr text[], m "We ird.Schema".mood);
INSERT INTO bytes VALUES (decode('00ff5c0a0d2e27', 'hex'), 'NaN', '-1e-30', '-infinity', '{"k":["ü",null]}', '{"a,b",NULL,"\"q\""}', '😀');
INSERT INTO bytes (x) SELECT decode(string_agg(lpad(to_hex(i % 256), 2, '0'), ''), 'hex') FROM generate_series(0, 70000) i;
CREATE TABLE parted (k int, v text) PARTITION BY RANGE (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 PARTITION OF parted DEFAULT;
INSERT INTO parted SELECT i, 'p' || i FROM generate_series(1, 30) i;
CREATE TABLE "no columns" ();
INSERT INTO "no columns" DEFAULT VALUES;
CREATE VIEW v AS SELECT a.id, b.twice FROM a JOIN b ON a.b_id = b.id;
CREATE MATERIALIZED VIEW mv AS SELECT count(*) AS n FROM a;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN NEW.name := coalesce(NEW.name, 'it''s $1'); RETURN NEW; END $f$;
CREATE TRIGGER a_touch BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION touch();
CREATE SEQUENCE "lonely seq" START 7 INCREMENT 3;
SELECT nextval('"lonely seq"'), nextval('"lonely seq"');
CREATE INDEX expr_index ON a (lower(name)) WHERE id > 3;
CREATE UNIQUE INDEX ON bytes (md5(x));
COMMENT ON TABLE a IS 'it''s a "comment" with 😀';
COMMENT ON SCHEMA "We ird.Schema" IS 'of a schema';
SELECT lo_from_bytea(0, decode(repeat('00ff41', 30000), 'hex')), lo_from_bytea(0, 'second');
COMMENT ON COLUMN b.twice IS 'generated';
)sql";

TEST_F(Postgres, CopiesEverythingUnderAnAwkwardName) {
  const std::string name = "größe \"x\" it's dbname='y' \\ 日本";
  const std::string copy = "postgresql://copy = 'of' 😀";
  create(name, kAwkward);
  for (const bool by_host : {true, false}) {
    const std::string dumped = source_.dump(name, Json::object(), by_host);
    const Outcome ended = source_.restore(copy, dumped);  // the second time over the first copy
    ASSERT_TRUE(ended.ok()) << ended.text() << "\n" << ended.detail;
    EXPECT_EQ(server_.fingerprint(copy), server_.fingerprint(name));
    EXPECT_EQ(
        server_.sql(copy, "SELECT count(*), (SELECT count(*) FROM pg_largeobject_metadata) FROM v"),
        "50|2");
  }
}

TEST_F(Postgres, CopiesAnEmptyDatabase) {
  create("empty");
  const Outcome ended = source_.restore("empty copy", source_.dump("empty"));
  ASSERT_TRUE(ended.ok()) << ended.text();
  EXPECT_EQ(server_.fingerprint("empty copy"), server_.fingerprint("empty"));
}

TEST_F(Postgres, ANewDatabaseGetsTheEncodingOfItsModel) {
  server_.sql("postgres", "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
  server_.sql("latin", "CREATE TABLE t AS SELECT 'größe'::text AS x");
  const std::string dumped = source_.dump("latin");
  FakeCall call;
  MemoryReader in{dumped};
  ASSERT_TRUE(source_.restore(call, {{"database", "latin 2"}, {"originalName", "latin"}}, in).ok());
  EXPECT_EQ(server_.sql("latin 2", "SHOW server_encoding"), "LATIN1");
  EXPECT_EQ(server_.sql("latin 2", "SELECT x FROM t"), "größe");
}

TEST_F(Postgres, RestoreThatIsCutLeavesEveryRowOfTheTarget) {
  create("kept", many_rows(120'000));
  const std::string dumped = source_.dump("kept");
  server_.sql("kept",
              "UPDATE big SET t = 'changed since' WHERE id % 2 = 0; CREATE TABLE newer (i int)");
  const std::string before = server_.fingerprint("kept");
  constexpr uint64_t kBlock = 100'000;
  const uint64_t blocks = dumped.size() / kBlock + 1;
  ASSERT_GT(blocks, 100U);
  // Read 1 gives the magic, reads 2 to blocks + 1 the rest, read blocks + 2 the end.
  for (const uint64_t nth : {uint64_t{1}, uint64_t{3}, blocks / 2, blocks, blocks + 2}) {
    FakeCall call;
    // The last round fails at the end alone, after every byte of the dump was given.
    MemoryReader in{dumped,
                    {.fail_at_call = nth, .status = DBACKUP_DATA_LOSS, .most_bytes = kBlock}};
    const Outcome ended = source_.restore(call, {{"database", "kept"}}, in);
    EXPECT_EQ(ended.status, DBACKUP_DATA_LOSS) << "cut at read " << nth << ": " << ended.text();
    EXPECT_EQ(server_.fingerprint("kept"), before) << "cut at read " << nth;
    // The connection that undid the work may be closing still.
    EXPECT_TRUE(server_.wait_until("postgres", kOurSessions, "0")) << nth;
  }
}

TEST_F(Postgres, CommitWaitsForTheEndOfTheStream) {
  create("awaited", "CREATE TABLE t AS SELECT 1 AS i");
  const std::string dumped = source_.dump("awaited");
  server_.sql("awaited", "UPDATE t SET i = 2");
  const uint64_t one_read = dumped.size();
  FakeCall call;
  MemoryReader in{dumped, {.most_bytes = one_read}};
  std::string seen;
  in.before_read([&](uint64_t nth) {
    // 1: the magic; 2: all the rest; 3: the end. Give the tool every chance to run ahead of it.
    if (nth != 3) return;
    for (int i = 0; i < 30; ++i) seen = server_.sql("awaited", "SELECT i, pg_sleep(0.01) FROM t");
  });
  ASSERT_TRUE(source_.restore(call, {{"database", "awaited"}}, in).ok());
  EXPECT_EQ(seen, "2|");
  EXPECT_EQ(server_.sql("awaited", "SELECT i FROM t"), "1");
}

TEST_F(Postgres, RestoreIntoANewNameThatIsCutLeavesNoDatabase) {
  create("origin", many_rows(50'000));
  const std::string dumped = source_.dump("origin");
  FakeCall call;
  MemoryReader in{dumped, {.fail_at_call = 40, .status = DBACKUP_DATA_LOSS, .most_bytes = 100'000}};
  const Outcome ended = source_.restore(call, {{"database", "short lived"}}, in);
  EXPECT_EQ(ended.status, DBACKUP_DATA_LOSS) << ended.text();
  EXPECT_EQ(server_.fingerprint("short lived"), "absent");
}

TEST_F(Postgres, CancelledRestoreEndsAtOnceAndUndoesEverything) {
  create("source db", many_rows(100'000));
  const std::string dumped = source_.dump("source db");
  for (const char* target : {"source db", "brand new"}) {
    const std::string before = server_.fingerprint(target);
    FakeCall call;
    MemoryReader in{dumped, {.most_bytes = 100'000}};
    Stopwatch since;
    in.before_read([&](uint64_t nth) {
      if (nth != 60) return;
      since.restart();
      call.cancel();
    });
    const Outcome ended = source_.restore(call, {{"database", target}}, in);
    EXPECT_LT(since.ms(), 1000) << target;
    EXPECT_EQ(ended.status, DBACKUP_CANCELLED) << ended.text();
    // The connection that undid the work may be closing still.
    EXPECT_TRUE(server_.wait_until("postgres", kOurSessions, "0")) << target;
    EXPECT_EQ(server_.fingerprint(target), before);
  }
}

TEST_F(Postgres, RestoreThatTheServerRefusesIsExplainedAndUndone) {
  create("conflicted", "CREATE TABLE t (i int); INSERT INTO t VALUES (1)");
  const std::string dumped = source_.dump("conflicted");
  server_.sql("conflicted", "CREATE VIEW depends_on_t AS SELECT * FROM t; UPDATE t SET i = 5");
  const Outcome ended = source_.restore("conflicted", dumped);
  EXPECT_EQ(ended.status, DBACKUP_ABORTED);
  EXPECT_NE(ended.message.find("depends_on_t"), std::string::npos) << ended.message;
  EXPECT_EQ(server_.sql("conflicted", "SELECT i FROM depends_on_t"), "5");
}

TEST_F(Postgres, RestoreOfSomethingElseTouchesNothing) {
  for (const char* content :
       {"-- PostgreSQL database dump\nSELECT 1;", "PGDM", "", "SQLite format 3"}) {
    const Outcome ended = source_.restore("never made", content);
    EXPECT_EQ(ended.status, DBACKUP_INVALID_ARGUMENT) << content;
    EXPECT_NE(ended.message.find("custom format"), std::string::npos) << ended.message;
    EXPECT_EQ(server_.fingerprint("never made"), "absent");
  }
}

TEST_F(Postgres, DamagedDumpLeavesNoDatabase) {
  create("healthy", many_rows(5'000));
  std::string dumped = source_.dump("healthy");
  dumped.resize(dumped.size() / 2);  // a well-formed stream, a dump that is not
  const Outcome ended = source_.restore("damaged", dumped);
  EXPECT_EQ(ended.status, DBACKUP_ABORTED) << ended.text();
  EXPECT_EQ(server_.fingerprint("damaged"), "absent");
}

TEST_F(Postgres, PlainUserRestoresIntoADatabaseOfItsOwn) {
  server_.sql("postgres", "CREATE ROLE plain LOGIN PASSWORD 'plain'");
  server_.sql("postgres", "CREATE DATABASE plain_db OWNER plain");
  create("by superuser",
         "CREATE EXTENSION pgcrypto; CREATE TABLE t AS SELECT 1 AS i; CREATE ROLE other;"
         "ALTER TABLE t OWNER TO other; GRANT SELECT ON t TO PUBLIC");
  const std::string dumped = source_.dump("by superuser");
  SourceBench plain{"postgres", source_.config()};
  plain.config()["user"] = "plain";
  plain.config()["password"] = "plain";
  const Outcome ended = plain.restore("plain_db", dumped);
  ASSERT_TRUE(ended.ok()) << ended.text();
  EXPECT_EQ(server_.sql("plain_db", "SELECT tableowner FROM pg_tables WHERE tablename = 't'"),
            "plain");
  source_.config()["restoreOwnership"] = true;
  ASSERT_TRUE(source_.restore("with owners", dumped).ok());
  EXPECT_EQ(server_.sql("with owners", "SELECT tableowner FROM pg_tables WHERE tablename = 't'"),
            "other");
}

TEST_F(Postgres, PrepareRestoreSaysWhatIsMissing) {
  server_.sql("postgres", "CREATE ROLE modest LOGIN PASSWORD 'modest'");
  create("closed", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC");
  SourceBench modest{"postgres", source_.config()};
  modest.config()["user"] = "modest";
  modest.config()["password"] = "modest";
  const Outcome absent = modest.prepare({{"databases", {"not there"}}});
  EXPECT_EQ(absent.status, DBACKUP_PERMISSION_DENIED);
  EXPECT_NE(absent.message.find("CREATEDB"), std::string::npos) << absent.message;
  EXPECT_EQ(modest.prepare({{"databases", {"closed"}}}).status, DBACKUP_PERMISSION_DENIED);
  EXPECT_EQ(source_.prepare({{"databases", {"template1"}}}).status, DBACKUP_INVALID_ARGUMENT);
  EXPECT_EQ(source_.prepare({{"databases", {std::string(64, 'n')}}}).status,
            DBACKUP_INVALID_ARGUMENT);
  const Json privileged{{"user", server_.user()}, {"password", server_.password()}};
  EXPECT_TRUE(modest.prepare({{"databases", {"not there"}}, {"privileged", privileged}}).ok());
  EXPECT_TRUE(source_.prepare({{"databases", {"not there", "closed"}}}).ok());
}

TEST_F(Postgres, PrivilegedUserCreatesTheDatabase) {
  server_.sql("postgres", "CREATE ROLE small LOGIN PASSWORD 'small'");
  create("small source", "CREATE TABLE t AS SELECT 3 AS i");
  const std::string dumped = source_.dump("small source");
  SourceBench small{"postgres", source_.config()};
  small.config()["user"] = "small";
  small.config()["password"] = "small";
  EXPECT_EQ(small.restore("for small", dumped).status, DBACKUP_PERMISSION_DENIED);
  FakeCall call;
  MemoryReader in{dumped};
  const Json privileged{{"user", server_.user()}, {"password", server_.password()}};
  ASSERT_TRUE(
      small.restore(call, {{"database", "for small"}, {"privileged", privileged}}, in).ok());
  EXPECT_EQ(server_.sql("for small", "SELECT i FROM t"), "3");
}

}  // namespace
}  // namespace dbackup::testing
