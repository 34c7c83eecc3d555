#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "store/adapter_store.hpp"
#include "store/execution_store.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

const Json kSource{{"name", "Orders DB"},
                   {"type", "database"},
                   {"adapterId", "scripted-db"},
                   {"config",
                    {{"host", "db1"},
                     {"port", "5432"},
                     {"password", "hunter2-pass"},
                     {"pin", "hunter2-pin"},
                     {"extra", 1}}}};

Json with(Json base, const Json& changes) {
  base.update(changes);
  return base;
}

TEST(Adapters, ComeBackRedactedAndNormalized) {
  ApiFixture api;
  const Answer made = api.post("/api/adapters", kSource);
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(Json::parse(made.body["config"].get<std::string>()),
            (Json{{"host", "db1"}, {"port", 5432}, {"extra", 1}}));
  EXPECT_EQ(made.body["secretStatus"], (Json{{"password", true}, {"pin", true}}));
  EXPECT_EQ(made.body["lastStatus"], "ONLINE");
  EXPECT_TRUE(made.body["metadata"].is_null());
  EXPECT_EQ(api.get("/api/adapters/" + made.body["id"].get<std::string>()).body, made.body);
  const Answer as_text = api.post(
      "/api/adapters", with(kSource, {{"name", "text"}, {"config", kSource["config"].dump()}}));
  EXPECT_EQ(as_text.body["config"], made.body["config"]);
}

TEST(Adapters, ShowNothingOfAConfigurationWhosePluginIsGone) {
  ApiFixture api;
  const std::string id = api.make_source(kSource["config"]);
  api.database->write([&](Session& session) {
    AdapterConfig row = AdapterStore{}.find(session, id).value();
    row.adapter_id = "gone";
    AdapterStore{}.update(session, row);
  });
  // Which options are secret, only its descriptor said: "pin" is one.
  for (const Answer& answer :
       {api.get("/api/adapters/" + id), api.get("/api/adapters?type=database")}) {
    EXPECT_EQ(answer.status, 200) << answer.text;
    EXPECT_EQ(answer.text.find("hunter2"), std::string::npos) << answer.text;
  }
  EXPECT_EQ(api.get("/api/adapters/" + id).body["config"], "{}");
}

TEST(Adapters, RefuseWhatDoesNotFit) {
  ApiFixture api;
  const std::pair<Json, int> cases[] = {
      {{{"type", "invented"}}, 400},
      {{{"adapterId", "oracle"}}, 400},
      {{{"adapterId", "scripted-disk"}}, 400},
      {{{"config", "{"}}, 400},
      {{{"config", {{"port", "high"}}}}, 400},
      {{{"config", 5}}, 400},
      {{{"name", "  "}}, 400},
      {{{"primaryCredentialId", "c"}}, 404},
      {{{"metadata", "x"}}, 400},
      {{{"storageRole", "BOTH"}}, 400},
  };
  for (const auto& [change, status] : cases) {
    EXPECT_EQ(api.post("/api/adapters", with(kSource, change)).status, status) << change;
  }
  EXPECT_EQ(api.get("/api/adapters").status, 400);
  EXPECT_EQ(api.get("/api/adapters?type=invented").status, 400);
}

TEST(Adapters, CannotPointIntoThePrivateFolder) {
  ApiFixture api;
  std::filesystem::create_directory_symlink(api.folder.file("data/private"),
                                            api.folder.file("innocent"));
  for (const std::string& path :
       {api.folder.file("data/private"), api.folder.file("data/private/x"),
        api.folder.file("innocent"), api.folder.file("data"),
        api.folder.file("plugins/../data/private")}) {
    const Answer answer = api.post("/api/adapters", {{"name", path},
                                                     {"type", "storage"},
                                                     {"adapterId", "scripted-disk"},
                                                     {"config", {{"basePath", path}}}});
    EXPECT_EQ(answer.status, 400) << path << answer.text;
  }
}

TEST(Adapters, KeepSecretsThatAnUpdateLeavesOut) {
  ApiFixture api;
  const std::string id = api.make_source(kSource["config"]);
  const std::string path = "/api/adapters/" + id;
  const auto put = [&](const Json& body) {
    return api.send(Method::Put, path, {.body = body.dump()});
  };
  Answer changed = put({{"config", {{"host", "db2"}, {"password", ""}}}});
  ASSERT_EQ(changed.status, 200) << changed.text;
  EXPECT_EQ(changed.body["secretStatus"], (Json{{"password", true}, {"pin", true}}));
  EXPECT_EQ(changed.body["config"], R"({"host":"db2"})");
  changed = put({{"config", {{"host", "db2"}, {"password", nullptr}}}, {"metadata", {{"a", 1}}}});
  EXPECT_EQ(changed.body["secretStatus"], (Json{{"pin", true}}));
  EXPECT_EQ(changed.body["metadata"], R"({"a":1})");
  EXPECT_EQ(put({{"name", "renamed"}}).body["name"], "renamed");
  EXPECT_EQ(put({{"name", "renamed"}}).status, 200) << "its own name is not taken";
}

TEST(Adapters, AreNotDeletedWhileJobsUseThem) {
  ApiFixture api;
  const std::string source = api.make_source();
  const std::string storage = api.make_storage();
  const std::string job = api.make_job(source, storage, {{"name", "The user"}});
  for (const std::string& id : {source, storage}) {
    const Answer refused = api.send(Method::Delete, "/api/adapters/" + id);
    EXPECT_EQ(refused.status, 400);
    EXPECT_NE(refused.text.find("The user"), std::string::npos);
  }
  EXPECT_EQ(
      api.send(Method::Put, "/api/adapters/" + storage, {.body = R"({"storageRole":"SOURCE"})"})
          .status,
      400);
  EXPECT_EQ(api.send(Method::Delete, "/api/jobs/" + job).status, 200);
  EXPECT_EQ(api.send(Method::Delete, "/api/adapters/" + source).status, 200);
  EXPECT_EQ(api.get("/api/adapters/" + source).status, 404);
}

TEST(Adapters, NeedThePermissionOfTheirType) {
  ApiFixture api;
  const std::string source = api.make_source();
  const std::string key = api.key_with({"destinations:read", "destinations:write"});
  EXPECT_EQ(api.get("/api/adapters?type=storage", {.key = key}).status, 200);
  EXPECT_EQ(api.get("/api/adapters?type=database", {.key = key}).status, 403);
  EXPECT_EQ(api.get("/api/adapters/" + source, {.key = key}).status, 403);
  EXPECT_EQ(api.post("/api/adapters", with(kSource, {{"name", "n"}}), key).status, 403);
  EXPECT_EQ(api.send(Method::Delete, "/api/adapters/" + source, {.key = key}).status, 403);
  EXPECT_EQ(api.post("/api/adapters/test-connection",
                     {{"adapterId", "scripted-db"}, {"config", Json::object()}}, key)
                .status,
            403);
}

TEST(Adapters, ListDatabasesAndTestConnections) {
  ApiFixture api;
  EXPECT_EQ(api.get("/api/adapters/" + api.make_source() + "/databases").body,
            (Json{{"success", true}, {"databases", {"orders", "crm"}}}));
  EXPECT_EQ(api.get("/api/adapters/" + api.make_storage() + "/databases").status, 404);
  const Answer down =
      api.get("/api/adapters/" + api.make_source({{"host", "unreachable"}}) + "/databases");
  EXPECT_EQ(down.status, 500);
  EXPECT_EQ(down.body["error"], "connection refused");

  const auto test = [&](const Json& config) {
    return api.post("/api/adapters/test-connection",
                    {{"adapterId", "scripted-db"}, {"config", config}});
  };
  EXPECT_EQ(test({{"host", "db1"}}).body,
            (Json{{"success", true}, {"message", "connected"}, {"version", "16.4"}}));
  EXPECT_EQ(test({{"host", "unreachable"}}).body,
            (Json{{"success", false}, {"message", "connection refused"}}));
  const Answer crashed = test({{"host", "crash"}});
  EXPECT_EQ(crashed.status, 200);
  EXPECT_EQ(crashed.body["success"], false);
  const Answer unknown = api.post("/api/adapters/test-connection",
                                  {{"adapterId", "oracle"}, {"config", Json::object()}});
  EXPECT_EQ(unknown.status, 400);
  EXPECT_EQ(unknown.body["message"], unknown.body["error"]);
}

TEST(Adapters, TypesShowWhatAFormNeeds) {
  ApiFixture api;
  const Answer types = api.get("/api/adapter-types", {.key = api.key_with({"jobs:read"})});
  ASSERT_EQ(types.status, 200);
  ASSERT_EQ(types.body["data"].size(), 4u);
  for (const Json& type : types.body["data"]) {
    for (const char* key : {"id", "type", "name", "roles", "credentials", "fields"})
      EXPECT_TRUE(type.contains(key)) << type;
    const bool is_storage = type["type"] == "storage";
    EXPECT_EQ(type.contains("transferConcurrency"), is_storage) << type;
    EXPECT_EQ(type["supportsBrowse"], is_storage) << "as its descriptor says";
    const std::map<std::string, Json> credentials{
        {"scripted-file", {{"primary", "USERNAME_PASSWORD"}, {"primaryOptional", true}}},
        {"scripted-db", {{"primary", "USERNAME_PASSWORD"}, {"ssh", "SSH_KEY"}}}};
    const auto own = credentials.find(type["id"].get<std::string>());
    EXPECT_EQ(type["credentials"], own != credentials.end() ? own->second : Json::object());
  }
}

TEST(Names, OfTwoRacingCreatesExactlyOneWins) {
  ApiFixture api;
  const std::string source = api.make_source();
  const std::string storage = api.make_storage();
  for (int round = 0; round < 10; ++round) {
    const Json body{{"name", "Same " + std::to_string(round)},
                    {"schedule", "0 3 * * *"},
                    {"sourceId", source},
                    {"destinations", {{{"configId", storage}}}}};
    int first = 0;
    std::thread other{[&] { first = api.post("/api/jobs", body).status; }};
    const int second = api.post("/api/jobs", body).status;
    other.join();
    EXPECT_EQ(first + second, 201 + 409);
  }
  EXPECT_EQ(api.post("/api/adapters", kSource).status, 201);
  EXPECT_EQ(api.post("/api/adapters", kSource).status, 409);
}

TEST(Jobs, HaveTheFormOfTheContract) {
  ApiFixture api;
  const std::string profile = api.post("/api/encryption-profiles", {{"name", "vault"}})
                                  .body["data"]["id"]
                                  .get<std::string>();
  const std::string job =
      api.make_job(api.make_source(), api.make_storage(),
                   {{"databases", {"orders"}}, {"encryptionProfileId", profile}});
  const Json got = api.get("/api/jobs/" + job).body;
  EXPECT_EQ(got["databases"], "[\"orders\"]");
  EXPECT_EQ(got["compression"], "ZSTD");
  EXPECT_EQ(got["encryptionProfile"], (Json{{"id", profile}, {"name", "vault"}}));
  EXPECT_EQ(got["source"]["name"].get<std::string>().substr(0, 6), "Source");
  EXPECT_EQ(got["destinations"][0]["retention"], "{}");
  EXPECT_EQ(got["destinations"][0]["config"]["adapterId"], "scripted-disk");
  EXPECT_EQ(got["nextRunAt"], "2026-03-09T03:00:00.000Z");
  for (const char* key : {"lastRunAt", "schedulePreset", "namingTemplateId"})
    EXPECT_TRUE(got.contains(key) && got[key].is_null()) << key;
  for (const char* key : {"notifications", "notificationTemplates", "sources", "executions"})
    EXPECT_EQ(got[key], Json::array()) << key;
  api.post("/api/jobs/" + job + "/run", Json::object());
  const Json listed = api.get("/api/jobs").body[0];
  EXPECT_TRUE(listed["lastRunAt"].is_string());
  EXPECT_EQ(listed["executions"][0]["status"], "Pending");
  EXPECT_EQ(api.send(Method::Delete, "/api/encryption-profiles/" + profile).status, 409)
      << "a job needs it";
}

TEST(Jobs, NameTheReferenceThatDoesNotExist) {
  ApiFixture api;
  const std::string source = api.make_source();
  const std::string storage = api.make_storage();
  const Json good{{"name", "j"},
                  {"schedule", "0 3 * * *"},
                  {"sourceId", source},
                  {"destinations", {{{"configId", storage}}}}};
  const std::pair<Json, const char*> cases[] = {
      {{{"sourceId", "x"}}, "sourceId"},
      {{{"sourceId", storage}}, "sourceId"},
      {{{"sourceId", nullptr}}, "sourceId"},
      {{{"destinations", {{{"configId", "x"}}}}}, "destinations[0].configId"},
      {{{"destinations", {{{"configId", source}}}}}, "destinations[0].configId"},
      {{{"sources", {{{"configId", storage}, {"path", "/"}}}}}, "sources[0].configId"},
      {{{"notificationIds", {source}}}, "notificationIds"},
      {{{"encryptionProfileId", "x"}}, "encryptionProfileId"},
      {{{"schedule", "sometimes"}}, "schedule"},
  };
  for (const auto& [change, field] : cases) {
    const Answer answer = api.post("/api/jobs", with(good, change));
    EXPECT_EQ(answer.status, 400) << change;
    EXPECT_NE(answer.body["error"].get<std::string>().find(field), std::string::npos)
        << answer.text;
  }
}

TEST(Jobs, CanBeStoredButNotRunWhenThisVersionLacksSomething) {
  ApiFixture api;
  const std::string job =
      api.make_job(api.make_source(), api.make_storage(), {{"backupMode", "INCREMENTAL"}});
  const Answer refused = api.post("/api/jobs/" + job + "/run", Json::object());
  EXPECT_EQ(refused.status, 501);
  EXPECT_NE(refused.text.find("INCREMENTAL"), std::string::npos);
  EXPECT_EQ(api.send(Method::Put, "/api/jobs/" + job, {.body = R"({"backupMode":"FULL"})"}).status,
            200);
  EXPECT_EQ(api.post("/api/jobs/" + job + "/run", Json::object()).status, 200);
}

TEST(Executions, CanBeReadAtOnceAndCancelled) {
  ApiFixture api;
  const std::string job = api.make_job(api.make_source(), api.make_storage());
  const Answer run = api.post("/api/jobs/" + job + "/run", {{"labels", {{"build", "17"}}}});
  ASSERT_EQ(run.body["success"], true);
  const std::string path = "/api/executions/" + run.body["executionId"].get<std::string>();
  const Json data = api.get(path).body["data"];
  EXPECT_EQ(data["status"], "Pending");
  EXPECT_EQ(data["jobId"], job);
  EXPECT_EQ(data["labels"], (Json{{"build", "17"}}));
  EXPECT_TRUE(data["size"].is_null() && data["endedAt"].is_null() && data["error"].is_null());
  EXPECT_EQ(data["duration"], 0);
  EXPECT_FALSE(data.contains("logs"));
  EXPECT_TRUE(api.get(path + "?includeLogs=true").body["data"]["logs"].is_array());
  EXPECT_EQ(api.send(Method::Post, path + "/cancel").status, 200);
  EXPECT_EQ(api.get(path).body["data"]["status"], "Cancelled");
  EXPECT_TRUE(api.get(path).body["data"]["error"].is_string());
  EXPECT_EQ(api.send(Method::Post, path + "/cancel").status, 400);
  const Json history = api.get("/api/history").body;
  EXPECT_EQ(history["executions"][0]["triggerType"], "Api");
  EXPECT_EQ(history["executions"][0]["triggerLabel"], "test");
  EXPECT_EQ(history["systemTimezone"], "UTC");
  api.send(Method::Delete, "/api/jobs/" + job);
  EXPECT_TRUE(api.get(path).body["data"]["jobId"].is_null()) << "the execution stays";
}

TEST(ApiKeysRoutes, ShowTheKeyOnceAndGrantNoMoreThanTheGiverHas) {
  ApiFixture api;
  const std::string giver = api.key_with({"api-keys:write", "api-keys:read", "jobs:read"});
  EXPECT_EQ(
      api.post("/api/api-keys", {{"name", "k"}, {"permissions", {"jobs:write"}}}, giver).status,
      403);
  const Answer made =
      api.post("/api/api-keys", {{"name", "k"}, {"permissions", {"jobs:read"}}}, giver);
  ASSERT_EQ(made.status, 201);
  const std::string raw = made.body["data"]["rawKey"].get<std::string>();
  EXPECT_EQ(raw.size(), 68u);
  EXPECT_EQ(made.headers.get("Cache-Control"), "no-store");
  EXPECT_TRUE(made.body["data"]["apiKey"]["userId"].is_null());
  EXPECT_EQ(api.get("/api/jobs", {.key = raw}).status, 200);
  EXPECT_EQ(api.get("/api/api-keys").text.find(raw), std::string::npos);
  EXPECT_EQ(api.get("/api/user/me", {.key = raw}).body["data"]["permissions"], (Json{"jobs:read"}));
  EXPECT_EQ(api.send(Method::Delete,
                     "/api/api-keys/" + made.body["data"]["apiKey"]["id"].get<std::string>())
                .status,
            200);
  EXPECT_EQ(api.get("/api/jobs", {.key = raw}).status, 401);
}

}  // namespace
}  // namespace dbackup::host
