#include "services/adapter_probes.hpp"

#include <gtest/gtest.h>

#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

const std::string kTest = "/api/adapters/test-connection";
const std::string kAccess = "/api/adapters/access-check";
const std::string kSnapshot = "/api/adapters/check-snapshot";

Json body(const std::string& kind, const Json& config, const std::string& config_id = "") {
  Json out{{"adapterId", kind}, {"config", config}};
  if (!config_id.empty()) out["configId"] = config_id;
  return out;
}

TEST(ConnectionTests, BorrowSecretsOnlyForThoseWhoMayWriteTheKindAndOnlyOfTheSameKind) {
  ApiFixture api;
  const std::string source = api.make_source();
  const std::string storage = api.make_storage();
  const Json config{{"host", "locked"}};
  const auto succeeds = [&](const std::string& config_id, const std::string& key) {
    return api.post(kTest, body("scripted-db", config, config_id), key).body["success"] == true;
  };
  EXPECT_TRUE(succeeds(source, ""));
  EXPECT_FALSE(succeeds("", "")) << "nothing to borrow from";
  EXPECT_FALSE(succeeds("unknown", ""));
  EXPECT_FALSE(succeeds(storage, "")) << "another kind's secrets";
  EXPECT_TRUE(succeeds(source, api.key_with({"sources:view", "sources:write"})));
  EXPECT_FALSE(succeeds(source, api.key_with({"sources:view"})));
  EXPECT_FALSE(succeeds(source, api.key_with({"sources:view", "destinations:write"})));
  const Answer wrong =
      api.post(kTest, body("scripted-db", {{"host", "locked"}, {"password", "typed"}}, source));
  EXPECT_EQ(wrong.body, (Json{{"success", false}, {"message", "login refused"}}))
      << "what was sent is what is tried";
  for (const std::string& path : {kTest, kAccess}) {
    EXPECT_EQ(api.post(path, body("scripted-db", config, source)).text.find("hunter2"),
              std::string::npos);
  }
}

TEST(ConnectionTests, LayCredentialsOverForThoseWhoMayWriteTheKind) {
  ApiFixture api;
  const auto made = [&](const char* name, const char* type, const Json& data) {
    return api.post("/api/credentials", {{"name", name}, {"type", type}, {"data", data}})
        .body["data"]["id"]
        .get<std::string>();
  };
  const std::string login =
      made("db1", "USERNAME_PASSWORD", {{"username", "backup"}, {"password", "hunter2-secret"}});
  const std::string token = made("other", "TOKEN", {{"token", "hunter2-token"}});
  const auto post = [&](const std::string& id, const std::string& key = "") {
    Json sent = body("scripted-file", {{"host", "locked"}});
    sent["primaryCredentialId"] = id;
    return api.post(kTest, sent, key);
  };
  EXPECT_EQ(post(login).body["success"], true);
  EXPECT_EQ(post(login, api.key_with({"sources:view", "sources:write"})).body["success"], true);
  EXPECT_EQ(post(login, api.key_with({"sources:view"})).status, 403) << "it could be sent anywhere";
  EXPECT_EQ(post("unknown").status, 404);
  EXPECT_EQ(post(token).status, 400) << "of another type";
  EXPECT_EQ(post("", api.key_with({"sources:view"})).status, 200);
}

TEST(ConnectionTests, RememberTheVersionForThoseWhoMayWrite) {
  ApiFixture api;
  const std::string source = api.make_source();
  const std::string path = "/api/adapters/" + source;
  api.send(Method::Put, path, {.body = R"({"metadata":{"isRestoreExcluded":true}})"});
  const auto metadata = [&] {
    return Json::parse(api.get(path).body["metadata"].get<std::string>());
  };
  const Json config{{"host", "db1"}, {"version", "17.1"}};
  const std::string reader = api.key_with({"sources:view"});
  EXPECT_EQ(api.post(kTest, body("scripted-db", config, source), reader).body["success"], true);
  EXPECT_EQ(metadata(), (Json{{"isRestoreExcluded", true}}));
  api.post(kTest, body("scripted-db", {{"host", "unreachable"}}, source));
  EXPECT_EQ(metadata(), (Json{{"isRestoreExcluded", true}})) << "a failed test tells nothing";
  const Json before = api.get(path).body;
  EXPECT_EQ(api.post(kTest, body("scripted-db", config, source)).body["version"], "17.1");
  EXPECT_EQ(metadata(), (Json{{"isRestoreExcluded", true},
                              {"engineVersion", "17.1"},
                              {"lastCheck", format_iso8601(api.clock.now_ms())},
                              {"status", "Online"}}));
  EXPECT_EQ(api.get(path).body["updatedAt"], before["updatedAt"]) << "nobody changed the adapter";
}

TEST(ConnectionTests, ThatDoNotEndHaveFailed) {
  ApiFixture api;
  AdapterProbes hasty{*api.control, {.test = std::chrono::milliseconds{100}}};
  Principal who{.kind = PrincipalKind::ApiKey};
  who.permissions.set();
  const ConnectionTestResult result =
      hasty.test(who, {.adapter_id = "scripted-db", .config = {{"host", "silent"}}});
  EXPECT_FALSE(result.success);
  EXPECT_FALSE(result.message.empty());
}

TEST(ConnectionTests, SayWhatIsWrongWithTheRequestInBothMembers) {
  ApiFixture api;
  const std::string blind = api.key_with({"notifications:read"});
  for (const std::string& path : {kTest, kAccess, kSnapshot}) {
    const std::pair<Answer, int> cases[] = {
        {api.post(path, {{"config", Json::object()}}), 400},
        {api.post(path, {{"adapterId", "scripted-db"}}), 400},
        {api.post(path, {{"adapterId", "scripted-db"}, {"config", "{"}}), 400},
        {api.post(path, body("oracle", Json::object())), path == kSnapshot ? 404 : 400},
        {api.post(path, body("scripted-db", Json::object()), blind), 403},
    };
    for (const auto& [answer, status] : cases) {
      EXPECT_EQ(answer.status, status) << path << answer.text;
      EXPECT_TRUE(answer.body.contains("message")) << answer.text;
      EXPECT_EQ(answer.body["message"], answer.body["error"]) << path;
    }
  }
}

TEST(AccessChecks, ListDatabasesOrSayWhyNot) {
  ApiFixture api;
  EXPECT_EQ(api.post(kAccess, body("scripted-db", {{"host", "db1"}})).body,
            (Json{{"success", true}, {"databases", {"orders", "crm"}}}));
  EXPECT_EQ(api.post(kAccess, body("scripted-db", {{"host", "unreachable"}})).body,
            (Json{{"success", false}, {"message", "connection refused"}}));
  EXPECT_EQ(api.post(kAccess, body("scripted-file", Json::object())).body,
            (Json{{"success", false}, {"message", "Scripted file cannot list databases"}}));
  EXPECT_EQ(api.post(kAccess, body("scripted-db", {{"host", "locked"}}, api.make_source()))
                .body["success"],
            true)
      << "secrets are borrowed as for a test";
}

TEST(Browsing, ShowsTheFoldersOfAStorageOneLevelAtATime) {
  ApiFixture api;
  for (const char* path : {"/web/app", "/data", "/.hidden"})
    std::filesystem::create_directories(api.disk() + path);
  api.put_backup("a file", "bytes");
  const std::string path = "/api/adapters/" + api.make_storage() + "/browse";
  const auto entry = [](const char* name, const char* below) {
    return Json{{"name", name}, {"path", below}};
  };
  EXPECT_EQ(
      api.get(path).body,
      (Json{{"success", true},
            {"supported", true},
            {"data",
             {{"path", ""},
              {"entries",
               {entry(".hidden", ".hidden"), entry("data", "data"), entry("web", "web")}}}}}));
  const Json below = api.get(path + "?path=web").body["data"];
  EXPECT_EQ(below, (Json{{"path", "web"}, {"entries", {entry("app", "web/app")}}}));
  EXPECT_EQ(api.get(path + "?path=nowhere").status, 404);
  for (const char* bad : {"..", "/etc", "web/../.."}) {
    EXPECT_EQ(api.get(path + "?path=" + bad).status, 400) << bad;
  }
  EXPECT_EQ(api.get("/api/adapters/" + api.make_source() + "/browse").status, 404);
  EXPECT_EQ(api.get(path, {.key = api.key_with({"sources:view"})}).status, 403);
}

TEST(SnapshotChecks, SayThatAKindTakesNone) {
  ApiFixture api;
  const Answer answer = api.post(kSnapshot, body("scripted-disk", Json::object()));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body,
            (Json{{"supported", false}, {"message", "Scripted disk takes no snapshots"}}));
}

}  // namespace
}  // namespace dbackup::host
