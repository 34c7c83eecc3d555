#include <dbackup/testing/gtest.hpp>
#include <map>

#include "tests/integration/sqlite_test_base.hpp"

/// Tables and rows of real files, with names and texts that mean harm.
namespace dbackup::testing {
namespace {

const std::string kOddTable = "we\"ird '; DROP TABLE items; -- ü 表";
const std::string kOddColumn = "co\"l umn' к?1";

std::string quoted(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

class SqliteTables : public SqliteSourceTest {
 protected:
  SqliteTables() {
    Sqlite db{path_};
    db.text("PRAGMA journal_mode = WAL");
    db.run(R"sql(
      CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT 'none', price REAL,
        photo BLOB, twice INTEGER GENERATED ALWAYS AS (id * 2));
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
        INSERT INTO items (id, name, price, photo) SELECT i,
          CASE i WHEN 7 THEN '50% _off_ \ now' ELSE 'Item ' || i END, i * 1.5,
          CASE i WHEN 1 THEN x'deadbeef' END FROM n;
      UPDATE items SET price = NULL WHERE id = 3;
      CREATE VIEW cheap AS SELECT id, name FROM items WHERE price < 10;
      CREATE TABLE pairs (a TEXT, b TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID;
      CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT);
      CREATE TABLE long (t TEXT, b BLOB);
      INSERT INTO long VALUES (replace(hex(zeroblob(50000)), '00', 'ä'), zeroblob(100000));)sql");
    db.run("CREATE TABLE " + quoted(kOddTable) + " (" + quoted(kOddColumn) +
           " text); INSERT INTO " + quoted(kOddTable) +
           " VALUES ('b'), ('a'), ('''; DROP TABLE items')");
  }
  static Json request(const std::string& table, const Json& more = Json::object()) {
    Json out{{"database", "live.db"}, {"table", table}, {"page", 1}, {"pageSize", 50}};
    out.update(more);
    return out;
  }
  Outcome outcome(const Json& asked) const {
    FakeCall call;
    ItemList items;
    return source().rows(call, asked, items);
  }
  std::string ids(const Json& more) const {
    std::string out;
    const Json page = source().rows(request("items", more));
    for (const Json& row : page.at("rows")) {
      out += (out.empty() ? "" : " ") + row.at("id").get<std::string>();
    }
    return out;
  }
};

TEST_F(SqliteTables, AreListedWithTheirCounts) {
  ItemList items;
  ASSERT_TRUE(source().tables("live.db", items).ok());
  std::map<std::string, Json> found;
  for (const Json& item : items.items()) found[item.at("name").get<std::string>()] = item;
  EXPECT_EQ(found.at("items"), (Json{{"name", "items"}, {"type", "table"}, {"rowCount", 120}}));
  EXPECT_EQ(found.at("cheap"), (Json{{"name", "cheap"}, {"type", "view"}}));
  EXPECT_EQ(found.at(kOddTable).at("rowCount"), 3);
  EXPECT_EQ(found.size(), 6U) << "and nothing of SQLite's own";
  EXPECT_EQ(source().tables("another.db", items).status, DBACKUP_NOT_FOUND);
}

TEST_F(SqliteTables, ShowTheirColumnsAndCells) {
  const Json page = source().rows(request("items", {{"pageSize", 3}}));
  EXPECT_EQ(page.at("totalCount"), 120);
  EXPECT_EQ(
      page.at("columns")[0],
      (Json{{"name", "id"}, {"dataType", "INTEGER"}, {"nullable", true}, {"primaryKey", true}}));
  EXPECT_EQ(page.at("columns")[1], (Json{{"name", "name"},
                                         {"dataType", "TEXT"},
                                         {"nullable", false},
                                         {"defaultValue", "'none'"}}));
  EXPECT_EQ(page.at("rows")[0], (Json{{"id", "1"},
                                      {"name", "Item 1"},
                                      {"price", "1.5"},
                                      {"photo", "\\xdeadbeef"},
                                      {"twice", "2"}}));
  EXPECT_TRUE(page.at("rows")[1].at("photo").is_null());
  EXPECT_TRUE(page.at("rows")[2].at("price").is_null());
  EXPECT_EQ(source().rows(request("cheap")).at("totalCount"), 5);
}

TEST_F(SqliteTables, ArePagedAndSorted) {
  EXPECT_EQ(ids({{"page", 3}, {"pageSize", 4}}), "9 10 11 12");
  EXPECT_EQ(ids({{"pageSize", 3}, {"sortBy", "id"}, {"sortDir", "desc"}}), "120 119 118");
  EXPECT_EQ(ids({{"page", 40}, {"pageSize", 3}, {"sortBy", "price"}}), "119 120 3") << "nulls last";
  EXPECT_EQ(ids({{"page", 1000}}), "") << "behind the end";
}

TEST_F(SqliteTables, AreSearchedByTextsThatMeanThemselves) {
  const auto search = [&](const std::string& text, const std::string& mode = "contains",
                          const std::string& column = "name") {
    return ids(
        {{"search", text}, {"searchColumn", column}, {"matchMode", mode}, {"pageSize", 200}});
  };
  EXPECT_EQ(search("50%"), "7");
  EXPECT_EQ(search("_off_"), "7");
  EXPECT_EQ(search("\\"), "7");
  EXPECT_EQ(search("%"), "7");
  EXPECT_EQ(search("iTEM 12"), "12 120");
  EXPECT_EQ(search("Item 12", "equals"), "12");
  EXPECT_EQ(search("item 119", "starts"), "119");
  EXPECT_EQ(search(" 119", "ends"), "119");
  EXPECT_EQ(search("180.0", "equals", "price"), "120");
  EXPECT_EQ(ids({{"search", "180.0"}}), "120") << "any column";
  EXPECT_EQ(search("' OR 1=1 --"), "");
}

TEST_F(SqliteTables, TakeNamesForNamesAndNothingElse) {
  const Json page = source().rows(request(kOddTable, {{"sortBy", kOddColumn}}));
  EXPECT_EQ(page.at("columns")[0].at("name"), kOddColumn);
  EXPECT_EQ(page.at("rows").size(), 3U);
  EXPECT_EQ(source()
                .rows(request(kOddTable, {{"search", "'; DROP TABLE items"},
                                          {"searchColumn", kOddColumn},
                                          {"matchMode", "equals"}}))
                .at("totalCount"),
            1);
  for (const char* column : {"id; DROP TABLE items", "id\" DESC--", "rowid", "1"}) {
    EXPECT_EQ(outcome(request("items", {{"sortBy", column}})).status, DBACKUP_INVALID_ARGUMENT)
        << column;
    EXPECT_EQ(outcome(request("items", {{"searchColumn", column}, {"search", "x"}})).status,
              DBACKUP_INVALID_ARGUMENT)
        << column;
  }
  for (const char* table : {"items; DROP TABLE items", "\"items\"", "main.items", "sqlite_schema",
                            "sqlite_sequence", "ITEMS", "pragma_database_list"}) {
    EXPECT_EQ(outcome(request(table)).status, DBACKUP_NOT_FOUND) << table;
  }
  Sqlite db{path_};
  EXPECT_EQ(db.text("SELECT count(*) FROM items"), "120");
}

TEST_F(SqliteTables, CutLongCells) {
  const Json row = source().rows(request("long")).at("rows")[0];
  const auto text = row.at("t").get<std::string>();
  EXPECT_EQ(text.size(), 4096U * 2 + 3);
  EXPECT_TRUE(text.ends_with("…"));
  EXPECT_EQ(row.at("b").get<std::string>().size(), 4096U + 3);
}

TEST_F(SqliteTables, AreReadWhileOthersWrite) {
  Sqlite writer{path_};
  writer.run("BEGIN IMMEDIATE; DELETE FROM items");
  EXPECT_EQ(source().rows(request("items")).at("totalCount"), 120);
  writer.run("ROLLBACK");
}

TEST_F(SqliteTables, EndWhenTheOperationIsCancelled) {
  {
    Sqlite db{path_};
    db.run(
        "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT i FROM n");
  }
  FakeCall call;
  ItemList items;
  call.cancel_at_question(3);
  EXPECT_EQ(source().rows(call, request("endless"), items).status, DBACKUP_CANCELLED);
}

}  // namespace
}  // namespace dbackup::testing
