#include <gtest/gtest.h>

#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

const std::string kStats = "/api/adapters/database-stats";
const std::string kTables = "/api/adapters/database-tables";
const std::string kRows = "/api/adapters/database-table-data";

Json with(Json base, const Json& changes) {
  base.update(changes);
  return base;
}

TEST(DatabaseStats, ShowTheDatabasesOfASourceOrOfAConfiguration) {
  ApiFixture api;
  const Json wanted{
      {"success", true},
      {"serverVersion", "16.4"},
      {"databases",
       {{{"name", "orders"}, {"sizeInBytes", 7340032}, {"tableCount", 31}}, {{"name", "crm"}}}}};
  EXPECT_EQ(api.post(kStats, {{"sourceId", api.make_source()}}).body, wanted);
  const Json config{{"host", "db1"}, {"version", "17.0"}};
  EXPECT_EQ(
      api.post(kStats, {{"adapterId", "scripted-db"}, {"config", config}}).body["serverVersion"],
      "17.0");
  EXPECT_EQ(api.post(kStats, {{"sourceId", api.make_source()},
                              {"adapterId", "scripted-db"},
                              {"config", config.dump()}})
                .body["serverVersion"],
            "17.0")
      << "a configuration that is sent along wins";
}

TEST(DatabaseStats, DoNotLendStoredSecretsToWhatIsSent) {
  ApiFixture api;
  const Answer answer =
      api.post(kStats, {{"sourceId", api.make_source()}, {"config", {{"host", "locked"}}}});
  EXPECT_EQ(answer.status, 500) << answer.text;
  EXPECT_EQ(answer.body["message"], "login refused");
}

TEST(SourceTables, SayWhatIsWrongWithTheSourceThatIsNamed) {
  ApiFixture api;
  const Json rest{{"database", "orders"}, {"table", "items"}};
  const std::string storage = api.make_storage();
  const std::pair<Json, int> cases[] = {
      {Json::object(), 400},
      {{{"adapterId", "scripted-db"}}, 400},
      {{{"config", Json::object()}}, 400},
      {{{"sourceId", "unknown"}}, 404},
      {{{"sourceId", storage}}, 404},
      {{{"adapterId", "oracle"}, {"config", Json::object()}}, 404},
      {{{"adapterId", "scripted-disk"}, {"config", Json::object()}}, 404},
      {{{"adapterId", "scripted-file"}, {"config", Json::object()}}, 400},
      {{{"adapterId", "scripted-db"}, {"config", {{"port", "high"}}}}, 400},
      {{{"adapterId", "scripted-db"}, {"config", {{"host", "unreachable"}}}}, 500},
  };
  for (const std::string& path : {kStats, kTables, kRows}) {
    for (const auto& [target, status] : cases) {
      const Answer answer = api.post(path, with(target, rest));
      EXPECT_EQ(answer.status, status) << path << target << answer.text;
      EXPECT_EQ(answer.body["message"], answer.body["error"]);
    }
  }
  const Answer lacking =
      api.post(kTables, with(rest, {{"adapterId", "scripted-file"}, {"config", Json::object()}}));
  EXPECT_EQ(lacking.body["error"], "Scripted file cannot show its tables");
}

TEST(SourceTables, ListTablesAndViews) {
  ApiFixture api;
  const std::string source = api.make_source();
  EXPECT_EQ(api.post(kTables, {{"sourceId", source}, {"database", "orders"}}).body,
            (Json{{"success", true},
                  {"tables",
                   {{{"name", "items"}, {"type", "table"}, {"rowCount", 12}, {"sizeInBytes", 8192}},
                    {{"name", "totals"}, {"type", "view"}}}}}));
  EXPECT_EQ(api.post(kTables, {{"sourceId", source}, {"database", "other"}}).status, 404);
  EXPECT_EQ(api.post(kTables, {{"sourceId", source}}).status, 400);
}

TEST(SourceTables, AreForThoseWhoMayReadSources) {
  ApiFixture api;
  const std::string source = api.make_source();
  const Json body{{"sourceId", source}, {"database", "orders"}, {"table", "items"}};
  const std::string viewer = api.key_with({"sources:view"});
  const std::string reader = api.key_with({"sources:read"});
  EXPECT_EQ(api.post(kStats, body, viewer).status, 200);
  EXPECT_EQ(api.post(kStats, body, reader).status, 403);
  for (const std::string& path : {kTables, kRows}) {
    EXPECT_EQ(api.post(path, body, reader).status, 200);
    EXPECT_EQ(api.post(path, body, viewer).status, 403);
  }
}

TEST(TableRows, AskForThePageThatIsWanted) {
  ApiFixture api;
  const Json body{{"sourceId", api.make_source()}, {"database", "orders"}, {"table", "it\"ems"}};
  const auto asked = [&](const Json& more) {
    const Answer answer = api.post(kRows, with(body, more));
    EXPECT_EQ(answer.status, 200) << answer.text;
    return Json::parse(answer.body["rows"][0]["query"].get<std::string>());
  };
  EXPECT_EQ(asked(Json::object()),
            (Json{{"database", "orders"}, {"table", "it\"ems"}, {"page", 1}, {"pageSize", 50}}));
  EXPECT_EQ(asked({{"page", "3"},
                   {"pageSize", "200"},
                   {"search", "50%"},
                   {"searchColumn", "name"},
                   {"matchMode", "starts"},
                   {"sortBy", "id"},
                   {"sortDir", "desc"}}),
            (Json{{"database", "orders"},
                  {"table", "it\"ems"},
                  {"page", 3},
                  {"pageSize", 200},
                  {"search", "50%"},
                  {"searchColumn", "name"},
                  {"matchMode", "starts"},
                  {"sortBy", "id"},
                  {"sortDir", "desc"}}))
      << "numbers may be texts";
  const Json answer = api.post(kRows, body).body;
  EXPECT_EQ(answer["totalCount"], 1204);
  EXPECT_EQ(answer["columns"][0],
            (Json{{"name", "query"}, {"dataType", "text"}, {"nullable", true}}));
  EXPECT_TRUE(answer["rows"][0]["none"].is_null());
}

TEST(TableRows, NameTheMembersThatAreWrong) {
  ApiFixture api;
  const Json body{{"sourceId", api.make_source()}, {"database", "orders"}, {"table", "items"}};
  const std::pair<Json, const char*> cases[] = {
      {{{"table", nullptr}}, "table"},
      {{{"table", ""}}, "table"},
      {{{"database", 5}}, "database"},
      {{{"page", 0}}, "page"},
      {{{"page", "first"}}, "page"},
      {{{"page", "9999999999999999999999"}}, "page"},
      {{{"pageSize", 201}}, "pageSize"},
      {{{"pageSize", "201"}}, "pageSize"},
      {{{"matchMode", "regex"}}, "matchMode"},
      {{{"sortDir", "up"}}, "sortDir"},
      {{{"search", std::string(1001, 'x')}}, "search"},
  };
  for (const auto& [change, field] : cases) {
    const Answer answer = api.post(kRows, with(body, change));
    EXPECT_EQ(answer.status, 400) << change;
    const Json& errors = answer.body["errors"];
    ASSERT_TRUE(errors["fieldErrors"].contains(field)) << change << answer.text;
    EXPECT_EQ(errors["fieldErrors"][field], (Json{answer.body["error"]}));
    EXPECT_EQ(errors["formErrors"], Json::array());
  }
  const Answer whole = api.post(kRows, with(body, {{"sortBy", "no-column"}}));
  EXPECT_EQ(whole.status, 400);
  EXPECT_EQ(whole.body["errors"], (Json{{"formErrors", {"\"sortBy\" must be a column"}},
                                        {"fieldErrors", Json::object()}}))
      << "what the adapter says stands for the whole";
  EXPECT_FALSE(api.post(kTables, {{"sourceId", "x"}}).body.contains("errors"))
      << "only where the contract has it";
}

}  // namespace
}  // namespace dbackup::host
