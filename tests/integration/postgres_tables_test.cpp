#include <dbackup/testing/gtest.hpp>
#include <map>
#include <thread>

#include "tests/integration/postgres_test_base.hpp"

/// Tables and rows, against a real server, with names and texts that mean harm.
namespace dbackup::testing {
namespace {

const std::string kOddTable = "we\"ird '; DROP TABLE items; -- ü 表";
const std::string kOddColumn = "co\"l umn' к$1";

class PostgresTables : public Postgres {
 protected:
  void SetUp() override {
    static const bool made = [this] {
      create("looked-at", R"sql(
        CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL DEFAULT 'none',
          price numeric(8,2), photo bytea, tags text[], doc json);
        INSERT INTO items SELECT i, CASE i WHEN 7 THEN '50% _off_ \ now' ELSE 'Item ' || i END,
          i * 1.5, CASE i WHEN 1 THEN '\xdeadbeef'::bytea END, ARRAY['a', 'b'],
          json_build_object('n', i) FROM generate_series(1, 120) i;
        UPDATE items SET price = NULL WHERE id = 3;
        CREATE VIEW cheap AS SELECT id, name FROM items WHERE price < 10;
        CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM items;
        CREATE SCHEMA other;
        CREATE TABLE other.items (x int);
        INSERT INTO other.items VALUES (42);
        CREATE TABLE empty ();
        CREATE TABLE parts (x int) PARTITION BY RANGE (x);
        CREATE TABLE long (t text, b bytea);
        INSERT INTO long VALUES (repeat('ä', 100000), decode(repeat('ff', 100000), 'hex'));)sql");
      server_.sql("looked-at", "CREATE TABLE " + quoted(kOddTable) + " (" + quoted(kOddColumn) +
                                   " text); INSERT INTO " + quoted(kOddTable) +
                                   " VALUES ('b'), ('a'), ('''; DROP TABLE items')");
      server_.sql("looked-at", "VACUUM ANALYZE items");
      return true;
    }();
    EXPECT_TRUE(made);
  }
  static Json request(const std::string& table, const Json& more = Json::object()) {
    Json out{{"database", "looked-at"}, {"table", table}, {"page", 1}, {"pageSize", 50}};
    out.update(more);
    return out;
  }
  static Json in(const std::string& database, Json asked) {
    asked["database"] = database;
    return asked;
  }
  Outcome outcome(const Json& asked) {
    FakeCall call;
    ItemList items;
    return source_.rows(call, asked, items);
  }
  std::string ids(const Json& more) {
    std::string out;
    const Json page = source_.rows(request("items", more));
    for (const Json& row : page.at("rows")) {
      out += (out.empty() ? "" : " ") + row.at("id").get<std::string>();
    }
    return out;
  }
};

TEST_F(PostgresTables, AreListedWithTheirKindsAndEstimates) {
  ItemList items;
  ASSERT_TRUE(source_.tables("looked-at", items).ok());
  std::map<std::string, Json> found;
  for (const Json& item : items.items()) found[item.at("name").get<std::string>()] = item;
  EXPECT_EQ(found.at("items").at("type"), "table");
  EXPECT_EQ(found.at("items").at("rowCount"), 120);
  EXPECT_GT(found.at("items").at("sizeInBytes"), 8192);
  EXPECT_EQ(found.at("cheap").at("type"), "view");
  EXPECT_FALSE(found.at("cheap").contains("rowCount"));
  EXPECT_EQ(found.at("totals").at("type"), "materialized_view");
  EXPECT_EQ(found.at("other.items").at("type"), "table");
  EXPECT_TRUE(found.contains(kOddTable));
  EXPECT_EQ(found.at("empty").at("rowCount"), 0);
  EXPECT_EQ(found.at("parts"), (Json{{"name", "parts"}, {"type", "table"}}))
      << "what its parts hold is not known of it";
  EXPECT_EQ(found.size(), 8U) << "and nothing of the system";
}

TEST_F(PostgresTables, ShowTheirColumnsAndCells) {
  const Json page = source_.rows(request("items", {{"pageSize", 2}}));
  EXPECT_EQ(page.at("totalCount"), 120);
  EXPECT_EQ(
      page.at("columns")[0],
      (Json{{"name", "id"}, {"dataType", "integer"}, {"nullable", false}, {"primaryKey", true}}));
  EXPECT_EQ(page.at("columns")[1], (Json{{"name", "name"},
                                         {"dataType", "text"},
                                         {"nullable", false},
                                         {"defaultValue", "'none'::text"}}));
  EXPECT_EQ(page.at("columns")[2].at("dataType"), "numeric(8,2)");
  EXPECT_EQ(page.at("rows")[0], (Json{{"id", "1"},
                                      {"name", "Item 1"},
                                      {"price", "1.50"},
                                      {"photo", "\\xdeadbeef"},
                                      {"tags", "{a,b}"},
                                      {"doc", "{\"n\" : 1}"}}));
  EXPECT_TRUE(page.at("rows")[1].at("photo").is_null());
  EXPECT_EQ(source_.rows(request("cheap")).at("totalCount"), 5);
  EXPECT_EQ(source_.rows(request("totals")).at("rows")[0].at("n"), "120");
  EXPECT_EQ(source_.rows(request("other.items")).at("rows")[0].at("x"), "42");
  EXPECT_EQ(source_.rows(request("empty")).at("columns"), Json::array());
}

TEST_F(PostgresTables, ArePagedAndSorted) {
  EXPECT_EQ(ids({{"page", 3}, {"pageSize", 4}}), "9 10 11 12") << "by their key";
  EXPECT_EQ(ids({{"pageSize", 3}, {"sortBy", "id"}, {"sortDir", "desc"}}), "120 119 118");
  EXPECT_EQ(ids({{"page", 40}, {"pageSize", 3}, {"sortBy", "price"}}), "119 120 3") << "nulls last";
  const std::string by_text = ids({{"pageSize", 2}, {"sortBy", "doc"}, {"sortDir", "desc"}});
  // Whether '}' comes before or after a digit is the collation's choice.
  EXPECT_TRUE(by_text == "99 98" || by_text == "9 99") << by_text << ": json has no order, its text has";
  EXPECT_EQ(ids({{"page", 1000}}), "") << "behind the end";
}

TEST_F(PostgresTables, AreSearchedByTextsThatMeanThemselves) {
  const auto search = [&](const std::string& text, const std::string& mode = "contains",
                          const std::string& column = "name") {
    return ids(
        {{"search", text}, {"searchColumn", column}, {"matchMode", mode}, {"pageSize", 200}});
  };
  EXPECT_EQ(search("50%"), "7");
  EXPECT_EQ(search("_off_"), "7");
  EXPECT_EQ(search("\\"), "7");
  EXPECT_EQ(search("%"), "7") << "a wildcard is a character";
  EXPECT_EQ(search("iTEM 12"), "12 120") << "letter case does not count";
  EXPECT_EQ(search("Item 12", "equals"), "12");
  EXPECT_EQ(search("item 12", "equals"), "");
  EXPECT_EQ(search("item 119", "starts"), "119");
  EXPECT_EQ(search(" 119", "ends"), "119");
  EXPECT_EQ(search("119", "starts"), "");
  EXPECT_EQ(search("180.00", "equals", "price"), "120");
  EXPECT_EQ(ids({{"search", "180.00"}}), "120") << "any column";
  EXPECT_EQ(search("deadbeef", "contains", "photo"), "1");
  EXPECT_EQ(search("' OR 1=1 --"), "");
  EXPECT_EQ(
      source_.rows(request("items", {{"search", "Item 1"}, {"pageSize", 2}})).at("totalCount"), 32)
      << "of what was found";
}

TEST_F(PostgresTables, TakeNamesForNamesAndNothingElse) {
  const Json page = source_.rows(request(kOddTable, {{"sortBy", kOddColumn}}));
  EXPECT_EQ(page.at("columns")[0].at("name"), kOddColumn);
  EXPECT_EQ(page.at("rows").size(), 3U);
  EXPECT_EQ(source_
                .rows(request(kOddTable, {{"search", "'; DROP TABLE items"},
                                          {"searchColumn", kOddColumn},
                                          {"matchMode", "equals"}}))
                .at("totalCount"),
            1);
  for (const char* column :
       {"id; DROP TABLE items", "id\" DESC, (SELECT 1)--", "Id", "1", "t.id"}) {
    EXPECT_EQ(outcome(request("items", {{"sortBy", column}})).status, DBACKUP_INVALID_ARGUMENT)
        << column;
    EXPECT_EQ(outcome(request("items", {{"searchColumn", column}, {"search", "x"}})).status,
              DBACKUP_INVALID_ARGUMENT)
        << column;
  }
  for (const char* table : {"items; DROP TABLE items", "\"items\"", "public.items", "pg_class",
                            "pg_catalog.pg_authid", "information_schema.tables", "ITEMS"}) {
    EXPECT_EQ(outcome(request(table)).status, DBACKUP_NOT_FOUND) << table;
  }
  EXPECT_EQ(outcome(in("no such' database", request("items"))).status, DBACKUP_NOT_FOUND);
  EXPECT_EQ(server_.sql("looked-at", "SELECT count(*) FROM items"), "120");
}

TEST_F(PostgresTables, CutLongCellsOnTheServer) {
  const Json row = source_.rows(request("long")).at("rows")[0];
  const auto text = row.at("t").get<std::string>();
  EXPECT_EQ(text.size(), 4096U * 2 + 3);
  EXPECT_TRUE(text.ends_with("…"));
  const auto bytes = row.at("b").get<std::string>();
  EXPECT_TRUE(bytes.starts_with("\\xffff"));
  EXPECT_EQ(bytes.size(), 4096U + 3);
}

TEST_F(PostgresTables, RunNoCastThatSomebodyMadeAndWriteNothing) {
  create("trapped", R"sql(
    CREATE TABLE log (t text);
    CREATE TYPE trap AS (a int);
    CREATE FUNCTION spring(trap) RETURNS text LANGUAGE plpgsql AS
      $$ BEGIN PERFORM 1 / 0; RETURN 'sprung'; END $$;
    CREATE CAST (trap AS text) WITH FUNCTION spring(trap);
    CREATE TABLE bait (v trap);
    INSERT INTO bait VALUES (ROW(1));
    CREATE FUNCTION writes() RETURNS int LANGUAGE plpgsql VOLATILE AS
      $$ BEGIN INSERT INTO log VALUES ('written'); RETURN 1; END $$;
    CREATE VIEW greedy AS SELECT writes() AS w;)sql");
  const Json bait = source_.rows(in("trapped", request("bait", {{"search", "1"}})));
  EXPECT_EQ(bait.at("rows")[0].at("v"), "(1)");
  EXPECT_FALSE(outcome(in("trapped", request("greedy"))).ok()) << "a view that writes";
  EXPECT_EQ(server_.sql("trapped", "SELECT count(*) FROM log"), "0");
}

TEST_F(PostgresTables, EndWhenTheOperationIsCancelled) {
  create("slow", R"sql(
    CREATE FUNCTION wait() RETURNS int LANGUAGE plpgsql VOLATILE AS
      $$ BEGIN PERFORM pg_sleep(60); RETURN 1; END $$;
    CREATE VIEW waits AS SELECT wait() AS w;)sql");
  FakeCall call;
  ItemList items;
  std::thread stop{[&] {
    server_.wait_until("postgres",
                       "SELECT count(*) FROM pg_stat_activity WHERE datname = 'slow' AND state = "
                       "'active' AND query LIKE '%waits%' AND application_name = 'dbackup'",
                       "1");
    call.cancel();
  }};
  const Stopwatch watch;
  EXPECT_EQ(source_.rows(call, in("slow", request("waits", {{"search", "1"}})), items).status,
            DBACKUP_CANCELLED);
  stop.join();
  EXPECT_LT(watch.ms(), 30'000);
  EXPECT_TRUE(server_.wait_until("postgres", kOurSessions, "0"));
}

TEST_F(PostgresTables, OfAServerThatIsNotThereAreUnavailable) {
  source_.config()["port"] = 1;
  ItemList items;
  EXPECT_EQ(source_.tables("looked-at", items).status, DBACKUP_UNAVAILABLE);
  EXPECT_EQ(outcome(request("items")).status, DBACKUP_UNAVAILABLE);
}

}  // namespace
}  // namespace dbackup::testing
