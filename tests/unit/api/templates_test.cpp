#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

const std::string kRetention = "/api/templates/retention-policies";
const std::string kNaming = "/api/templates/naming-templates";
const std::string kPresets = "/api/templates/schedule-presets";
const std::string kNotification = "/api/templates/notification-templates";
const std::string kExcludes = "/api/templates/exclude-presets";

Answer put(ApiFixture& api, const std::string& path, const Json& body) {
  return api.send(Method::Put, path, {.body = body.dump()});
}

std::string id_of(const Answer& answer) {
  EXPECT_EQ(answer.status, 201) << answer.text;
  return answer.body["data"]["id"].get<std::string>();
}

std::string make_channel(ApiFixture& api, const std::string& name) {
  const Answer made = api.post("/api/adapters", {{"name", name},
                                                 {"type", "notification"},
                                                 {"adapterId", "scripted-channel"},
                                                 {"config", Json::object()}});
  EXPECT_EQ(made.status, 201) << made.text;
  return made.body["id"].get<std::string>();
}

std::vector<std::string> defaults(ApiFixture& api, const std::string& path) {
  std::vector<std::string> out;
  const Json listed = api.get(path).body["data"];
  for (const Json& row : listed) {
    if (row["isDefault"] == true) out.push_back(row["id"].get<std::string>());
  }
  return out;
}

TEST(Templates, AreThereFromTheStart) {
  ApiFixture api;
  const std::pair<std::string, std::vector<std::string>> seeds[] = {
      {kRetention, {"retention-keep-all", "retention-simple-14", "retention-gvs-default"}},
      {kNaming, {"naming-standard"}},
      {kPresets,
       {"schedule-daily-midnight", "schedule-daily-3am", "schedule-weekly-sunday",
        "schedule-hourly", "schedule-monthly-1st"}},
      {kNotification, {}},
      {kExcludes, {"exclude-system-junk"}},
  };
  for (const auto& [path, ids] : seeds) {
    EXPECT_EQ(api.get(path).body["data"].size(), ids.size()) << path;
    for (const auto& id : ids) EXPECT_EQ(api.get(path + "/" + id).status, 200) << id;
  }
  EXPECT_EQ(api.get(kRetention + "/naming-standard").status, 404) << "of another kind";
}

TEST(Templates, KeepJsonInTexts) {
  ApiFixture api;
  const Json simple = api.get(kRetention + "/retention-simple-14").body["data"];
  EXPECT_EQ(Json::parse(simple["config"].get<std::string>()),
            (Json{{"mode", "SIMPLE"}, {"simple", {{"keepCount", 14}}}}));
  const std::string id =
      id_of(api.post(kExcludes, {{"name", "mine"}, {"patterns", {"*.bak"}}, {"groups", {"vcs"}}}));
  const Json mine = api.get(kExcludes + "/" + id).body["data"];
  EXPECT_EQ(mine["patterns"], "[\"*.bak\"]");
  EXPECT_EQ(mine["groups"], "[\"vcs\"]");
  EXPECT_EQ(mine["excludedGroupPatterns"], "[]");
  EXPECT_EQ(put(api, kExcludes + "/" + id, mine).status, 200) << "an answer can be sent back";
}

TEST(Templates, RefuseWhatTheirKindDoesNotKnow) {
  ApiFixture api;
  const std::string storage = api.make_storage();
  const struct {
    std::string path;
    Json body;
    const char* field;
  } cases[] = {
      {kRetention, {{"name", "x"}}, "config"},
      {kRetention, {{"name", "x"}, {"config", {{"mode", "SIMPLE"}}}}, "config"},
      {kRetention, {{"name", "x"}, {"config", Json::object()}}, "config"},
      {kPresets, {{"name", "x"}, {"schedule", "sometimes"}}, "schedule"},
      {kNaming, {{"name", "x"}, {"pattern", "a/b"}}, "pattern"},
      {kNaming, {{"name", "x"}, {"pattern", "{name}"}}, "pattern"},
      {kNaming, {{"name", " "}, {"pattern", "x"}}, "name"},
      {kNotification,
       {{"name", "x"}, {"channels", {{{"configId", storage}, {"events", "FAILED"}}}}},
       "channels[0].configId"},
      {kNotification,
       {{"name", "x"}, {"channels", {{{"configId", storage}, {"events", "ALWAYS"}}}}},
       "channels[0].events"},
      {kExcludes, {{"name", "x"}, {"groups", {"amiga"}}}, "groups"},
  };
  for (const auto& [path, body, field] : cases) {
    const Answer answer = api.post(path, body);
    EXPECT_EQ(answer.status, 400) << path << body;
    EXPECT_NE(answer.text.find(field), std::string::npos) << answer.text;
  }
}

TEST(Templates, HaveNamesOfTheirOwnWithinTheKind) {
  ApiFixture api;
  id_of(api.post(kPresets, {{"name", "mine"}, {"schedule", "0 5 * * *"}}));
  EXPECT_EQ(api.post(kPresets, {{"name", "mine"}, {"schedule", "0 6 * * *"}}).status, 409);
  EXPECT_EQ(put(api, kPresets + "/schedule-hourly", {{"name", "mine"}}).status, 409);
  id_of(api.post(kNaming, {{"name", "mine"}, {"pattern", "x"}}));
  int created = 0;
  int refused = 0;
  std::mutex mutex;
  std::vector<std::thread> racers;
  for (int i = 0; i < 4; ++i) {
    racers.emplace_back([&] {
      const int status = api.post(kPresets, {{"name", "raced"}, {"schedule", "0 6 * * *"}}).status;
      const std::lock_guard lock{mutex};
      created += status == 201;
      refused += status == 409;
    });
  }
  for (auto& racer : racers) racer.join();
  EXPECT_EQ(created, 1);
  EXPECT_EQ(refused, 3);
}

TEST(Templates, HaveAtMostOneDefaultWhereTheContractSaysSo) {
  ApiFixture api;
  EXPECT_EQ(put(api, kRetention + "/retention-keep-all/default", Json::object()).status, 200);
  EXPECT_EQ(put(api, kRetention + "/retention-simple-14/default", Json::object()).status, 200);
  EXPECT_EQ(defaults(api, kRetention), (std::vector<std::string>{"retention-simple-14"}));
  EXPECT_EQ(api.send(Method::Delete, kRetention + "/default").status, 200);
  EXPECT_TRUE(defaults(api, kRetention).empty());
  const std::string naming =
      id_of(api.post(kNaming, {{"name", "mine"}, {"pattern", "x"}, {"isDefault", true}}));
  EXPECT_EQ(defaults(api, kNaming), (std::vector<std::string>{naming}));
  id_of(api.post(kExcludes, {{"name", "also"}, {"isDefault", true}}));
  EXPECT_EQ(defaults(api, kExcludes).size(), 2U) << "several presets may be chosen beforehand";
}

TEST(Templates, KeepBuiltInRowsAndTheDefaultPattern) {
  ApiFixture api;
  EXPECT_EQ(put(api, kNaming + "/naming-standard", {{"pattern", "x"}}).status, 409);
  EXPECT_EQ(put(api, kNaming + "/naming-standard", {{"isDefault", true}}).status, 200);
  EXPECT_EQ(api.send(Method::Delete, kNaming + "/naming-standard").status, 409);
  EXPECT_EQ(api.send(Method::Delete, kExcludes + "/exclude-system-junk").status, 409);
  const std::string mine =
      id_of(api.post(kNaming, {{"name", "mine"}, {"pattern", "x"}, {"isDefault", true}}));
  EXPECT_EQ(api.send(Method::Delete, kNaming + "/" + mine).status, 409) << "it is the default";
  put(api, kNaming + "/naming-standard/default", Json::object());
  EXPECT_EQ(api.send(Method::Delete, kNaming + "/" + mine).status, 200);
  EXPECT_EQ(api.send(Method::Delete, kNaming + "/" + mine).status, 404);
}

TEST(Templates, NameTheJobsThatKeepThem) {
  ApiFixture api;
  const std::string channel = make_channel(api, "chat");
  const std::string policy = id_of(
      api.post(kRetention,
               {{"name", "p"}, {"config", {{"mode", "SIMPLE"}, {"simple", {{"keepCount", 1}}}}}}));
  const std::string naming = id_of(api.post(kNaming, {{"name", "n"}, {"pattern", "x"}}));
  const std::string told = id_of(
      api.post(kNotification,
               {{"name", "t"}, {"channels", {{{"configId", channel}, {"events", "FAILED"}}}}}));
  const std::string preset = id_of(api.post(kPresets, {{"name", "s"}, {"schedule", "0 5 * * *"}}));
  const std::string storage = api.make_storage();
  const std::string job =
      api.make_job(api.make_source(), storage,
                   {{"name", "Nightly"},
                    {"namingTemplateId", naming},
                    {"schedulePresetId", preset},
                    {"notificationTemplateIds", {told}},
                    {"destinations", {{{"configId", storage}, {"retentionPolicyId", policy}}}}});
  for (const auto& path :
       {kRetention + "/" + policy, kNaming + "/" + naming, kNotification + "/" + told}) {
    const Answer refused = api.send(Method::Delete, path);
    EXPECT_EQ(refused.status, 409) << path;
    EXPECT_NE(refused.text.find("Nightly"), std::string::npos) << refused.text;
  }
  const Answer kept = api.send(Method::Delete, "/api/adapters/" + channel);
  EXPECT_EQ(kept.status, 400) << "a template tells through it";
  EXPECT_EQ(api.send(Method::Delete, kPresets + "/" + preset).status, 200);
  EXPECT_TRUE(api.get("/api/jobs/" + job).body["schedulePresetId"].is_null())
      << "the job falls back to its own schedule";
  EXPECT_EQ(api.send(Method::Delete, "/api/jobs/" + job).status, 200);
  const Answer gone =
      api.post(kRetention + "/bulk", {{"action", "delete"}, {"ids", {policy, policy, "unknown"}}});
  EXPECT_EQ(gone.body["message"], "1 of 2 retention policies deleted");
  EXPECT_EQ(gone.body["data"]["succeeded"], (Json{policy}));
}

TEST(Templates, ShowTheNamesOfChannelsAndNoSecrets) {
  ApiFixture api;
  const std::string channel = make_channel(api, "chat");
  const std::string id = id_of(api.post(
      kNotification,
      {{"name", "t"}, {"channels", {{{"configId", channel}, {"events", "FAILED|PARTIAL"}}}}}));
  const Json row = api.get(kNotification + "/" + id).body["data"];
  EXPECT_EQ(row["channels"], (Json::array({{{"configId", channel},
                                            {"events", "FAILED|PARTIAL"},
                                            {"name", "chat"},
                                            {"adapterId", "scripted-channel"}}})));
}

TEST(Templates, OpenToAnyOfFivePermissionsAndChangeByOne) {
  ApiFixture api;
  for (const char* permission :
       {"templates:read", "templates:write", "jobs:read", "jobs:write", "settings:read"}) {
    const std::string key = api.key_with({permission});
    EXPECT_EQ(api.get(kPresets, {.key = key}).status, 200) << permission;
    const int expected = std::string{permission} == "templates:write" ? 201 : 403;
    EXPECT_EQ(api.post(kPresets, {{"name", permission}, {"schedule", "0 5 * * *"}}, key).status,
              expected)
        << permission;
  }
  EXPECT_EQ(api.get(kPresets, {.key = api.key_with({"vault:read"})}).status, 403);
}

TEST(Templates, ShowTheBuiltInGroupsOfPatterns) {
  ApiFixture api;
  const Json groups = api.get("/api/templates/exclude-groups").body["data"];
  ASSERT_EQ(groups.size(), 7U);
  EXPECT_EQ(groups[1]["id"], "windows");
  EXPECT_EQ(groups[1]["patterns"].back(), "System Volume Information/**");
}

}  // namespace
}  // namespace dbackup::host
