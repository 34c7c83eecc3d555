#include <gtest/gtest.h>

#include <algorithm>

#include "store/job_store.hpp"
#include "store/query.hpp"
#include "store/schedule_store.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

std::string made(const Answer& answer) {
  EXPECT_EQ(answer.status, 201) << answer.text;
  return answer.body.contains("data") ? answer.body["data"]["id"].get<std::string>()
                                      : answer.body["id"].get<std::string>();
}

/// A server with one job that uses everything.
struct FullJob : ApiFixture {
  std::string channel = made(post("/api/adapters", {{"name", "chat"},
                                                    {"type", "notification"},
                                                    {"adapterId", "scripted-channel"},
                                                    {"config", {{"token", "hunter2-token"}}}}));
  std::string folder_storage = made(post("/api/adapters", {{"name", "files"},
                                                           {"type", "storage"},
                                                           {"adapterId", "scripted-disk"},
                                                           {"storageRole", "SOURCE"},
                                                           {"config", {{"basePath", disk()}}}}));
  std::string told =
      made(post("/api/templates/notification-templates",
                {{"name", "told"}, {"channels", {{{"configId", channel}, {"events", "FAILED"}}}}}));
  std::string also = made(post("/api/templates/notification-templates", {{"name", "also"}}));
  std::string naming =
      made(post("/api/templates/naming-templates", {{"name", "mine"}, {"pattern", "x"}}));
  std::string storage = make_storage();
  Json fields{
      {"name", "Nightly"},
      {"enabled", true},
      {"databases", {"orders"}},
      {"compression", "GZIP"},
      {"pgCompression", "ZSTD:3"},
      {"notificationIds", {channel}},
      {"notificationEvents", "PARTIAL|FAILED"},
      {"notificationTemplateIds", {also, told}},
      {"namingTemplateId", naming},
      {"schedulePresetId", "schedule-hourly"},
      {"skipVerification", true},
      {"backupMode", "INCREMENTAL"},
      {"fullEveryDays", 30},
      {"verifyByHash", true},
      {"destinations", {{{"configId", storage}, {"retentionPolicyId", "retention-simple-14"}}}}};
  std::string id = make_job(make_source(), storage, fields);
  Json shown() { return get("/api/jobs/" + id).body; }
  Answer change(const Json& body) {
    return send(Method::Put, "/api/jobs/" + id, {.body = body.dump()});
  }
};

TEST(JobRoutes, ShowTheTemplatesOfAJob) {
  FullJob api;
  const Json job = api.shown();
  EXPECT_EQ(job["schedulePreset"],
            (Json{{"id", "schedule-hourly"}, {"name", "Hourly"}, {"schedule", "0 * * * *"}}));
  EXPECT_EQ(job["namingTemplateId"], api.naming);
  EXPECT_EQ(job["destinations"][0]["retentionPolicyId"], "retention-simple-14");
  const Json& templates = job["notificationTemplates"];
  ASSERT_EQ(templates.size(), 2U);
  EXPECT_EQ(templates[0]["templateId"], api.also) << "in the order in which they were given";
  EXPECT_EQ(templates[1]["template"]["name"], "told");
  EXPECT_EQ(templates[1]["template"]["channels"][0]["config"]["name"], "chat");
  EXPECT_EQ(job["notifications"][0]["id"], api.channel);
  EXPECT_EQ(api.get("/api/jobs").body[0], job) << "the list shows the same";
  EXPECT_EQ(api.get("/api/jobs").text.find("hunter2"), std::string::npos);
}

TEST(JobRoutes, LeaveOutMeansUnchanged) {
  FullJob api;
  Json before = api.shown();
  const Answer changed = api.change({{"fullEveryDays", 31}});
  EXPECT_EQ(changed.status, 200);
  Json after = changed.body;
  EXPECT_EQ(after["fullEveryDays"], 31);
  for (Json* job : {&before, &after}) {
    job->erase("fullEveryDays");
    job->erase("updatedAt");
  }
  EXPECT_EQ(after, before);
}

TEST(JobRoutes, CloneCopiesEveryFieldAndIsDisabled) {
  FullJob api;
  const Answer first = api.send(Method::Post, "/api/jobs/" + api.id + "/clone");
  ASSERT_EQ(first.status, 201) << first.text;
  EXPECT_EQ(first.body["name"], "Nightly (Copy)");
  EXPECT_EQ(first.body["enabled"], false);
  EXPECT_EQ(api.post("/api/jobs/" + api.id + "/clone", Json::object()).body["name"],
            "Nightly (Copy 2)");
  EXPECT_EQ(api.post("/api/jobs/" + api.id + "/clone", {{"name", "Nightly"}}).status, 409);
  EXPECT_EQ(api.post("/api/jobs/" + api.id + "/clone", {{"name", "Other"}}).body["name"], "Other");
  EXPECT_EQ(api.send(Method::Post, "/api/jobs/unknown/clone").status, 404);
  Json original = api.shown();
  Json copy = first.body;
  EXPECT_NE(copy["destinations"][0]["id"], original["destinations"][0]["id"]);
  for (Json* job : {&original, &copy}) {
    // A disabled job has no next run.
    for (const char* key : {"id", "name", "enabled", "createdAt", "updatedAt", "nextRunAt"})
      job->erase(key);
    for (const char* list : {"destinations", "notificationTemplates"}) {
      for (Json& row : (*job)[list]) {
        for (const char* key : {"id", "jobId", "createdAt", "updatedAt"}) row.erase(key);
      }
    }
  }
  EXPECT_EQ(copy, original);
}

TEST(JobRoutes, KeepFoldersById) {
  FullJob api;
  const Json folder{{"configId", api.folder_storage},
                    {"path", "/data"},
                    {"excludePatterns", {"*.bak"}},
                    {"excludePatternPresetIds", {"exclude-system-junk"}}};
  Answer changed = api.change({{"sources", {folder}}});
  ASSERT_EQ(changed.status, 200) << changed.text;
  const Json first = changed.body["sources"][0];
  EXPECT_EQ(first["excludePatterns"], (Json{"*.bak"}));
  EXPECT_EQ(first["excludePatternPresetIds"], (Json{"exclude-system-junk"}));
  Json other = folder;
  other["path"] = "/";
  changed = api.change({{"sources", {other, folder}}});
  EXPECT_EQ(changed.body["sources"][1]["id"], first["id"]) << "archives refer to it";
  EXPECT_EQ(api.change({{"sources", {folder, folder}}}).status, 400);
  EXPECT_EQ(api.change({{"sources", Json::array()}}).body["sources"], Json::array());
}

TEST(JobRoutes, RefuseTemplatesThatAreNotOfTheKind) {
  FullJob api;
  const std::pair<Json, const char*> cases[] = {
      {{{"namingTemplateId", "schedule-hourly"}}, "namingTemplateId"},
      {{{"schedulePresetId", "x"}}, "schedulePresetId"},
      {{{"notificationTemplateIds", {"naming-standard"}}}, "notificationTemplateIds"},
      {{{"destinations", {{{"configId", api.storage}, {"retentionPolicyId", "x"}}}}},
       "destinations[0].retentionPolicyId"},
      {{{"destinations", {{{"configId", api.storage}}, {{"configId", api.storage}}}}},
       "destinations[1].configId"},
      {{{"destinations", Json::array()}}, "destinations"},
      {{{"sources",
         {{{"configId", api.folder_storage},
           {"path", "/"},
           {"excludePatternPresetIds", {"naming-standard"}}}}}},
       "sources[0].excludePatternPresetIds"},
      {{{"pgCompression", "LZ5:1"}}, "pgCompression"},
      {{{"notificationEvents", "SOMETIMES"}}, "notificationEvents"},
  };
  for (const auto& [body, field] : cases) {
    const Answer answer = api.change(body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_NE(answer.text.find(field), std::string::npos) << answer.text;
  }
  const Answer cleared = api.change({{"namingTemplateId", ""},
                                     {"schedulePresetId", nullptr},
                                     {"notificationTemplateIds", Json::array()}});
  EXPECT_TRUE(cleared.body["namingTemplateId"].is_null());
  EXPECT_TRUE(cleared.body["schedulePreset"].is_null());
  EXPECT_EQ(cleared.body["notificationTemplates"], Json::array());
}

TEST(JobRoutes, ListPagesAndFilters) {
  ApiFixture api;
  const std::string source = api.make_source();
  const std::string storage = api.make_storage();
  for (int i = 0; i < 12; ++i) {
    api.make_job(
        source, storage,
        {{"name", (i % 2 == 0 ? "Even_" : "odd ") + std::to_string(i)}, {"enabled", i < 6}});
    api.clock.advance(1);
  }
  EXPECT_EQ(api.get("/api/jobs").body.size(), 12U);
  const Json page = api.get("/api/jobs?page=2&pageSize=5").body;
  ASSERT_EQ(page.size(), 5U);
  EXPECT_EQ(page[0]["name"], "Even_6");
  EXPECT_EQ(page[0]["destinations"].size(), 1U);
  EXPECT_EQ(page[0]["source"]["id"], source);
  EXPECT_EQ(api.get("/api/jobs?search=even_").body.size(), 6U);
  EXPECT_EQ(api.get("/api/jobs?search=n_").body.size(), 6U) << "_ is no wildcard";
  EXPECT_EQ(api.get("/api/jobs?enabled=false").body.size(), 6U);
  EXPECT_EQ(api.get("/api/jobs?enabled=true&search=odd").body.size(), 3U);
  EXPECT_EQ(api.get("/api/jobs?pageSize=0").status, 400);
  EXPECT_EQ(api.get("/api/jobs?pageSize=201").status, 400);
  EXPECT_EQ(api.get("/api/jobs?page=x").status, 400);
  EXPECT_EQ(api.get("/api/jobs?enabled=maybe").status, 400);
}

TEST(JobRoutes, BulkSwitchesAndDeletes) {
  ApiFixture api;
  const std::string source = api.make_source();
  const std::string storage = api.make_storage();
  const std::string a = api.make_job(source, storage);
  const std::string b = api.make_job(source, storage);
  const auto bulk = [&](const char* action, const Json& ids) {
    return api.post("/api/jobs/bulk", {{"action", action}, {"ids", ids}});
  };
  EXPECT_EQ(bulk("disable", {a, b}).body["message"], "2 jobs disabled");
  EXPECT_EQ(api.get("/api/jobs/" + a).body["enabled"], false);
  EXPECT_EQ(bulk("enable", {a}).body["message"], "1 job enabled");
  EXPECT_EQ(api.get("/api/jobs/" + a).body["enabled"], true);
  const Answer gone = bulk("delete", {a, "unknown", b});
  EXPECT_EQ(gone.body["message"], "2 of 3 jobs deleted");
  EXPECT_EQ(gone.body["data"]["failed"][0]["error"], "job not found");
  EXPECT_EQ(api.get("/api/jobs").body, Json::array());
  EXPECT_EQ(bulk("explode", {a}).status, 400);
  EXPECT_EQ(bulk("delete", Json::array()).status, 400);
}

TEST(JobRoutes, WriteTheAuditLog) {
  ApiFixture api;
  const std::string job = api.make_job(api.make_source(), api.make_storage());
  api.send(Method::Put, "/api/jobs/" + job, {.body = R"({"enabled":false})"});
  api.post("/api/jobs/" + job + "/clone", Json::object());
  api.post("/api/jobs/" + job + "/run", {{"lock", true}});
  api.send(Method::Delete, "/api/jobs/" + job);
  std::vector<std::string> actions;
  api.database->read([&](Session& session) {
    std::string action;
    std::string details;
    Query query{session, "SELECT action, details FROM audit_log WHERE resource = 'JOB'"};
    query.out(action).out(details);
    while (query.next()) {
      actions.push_back(action);
      if (action != "EXECUTE") continue;
      EXPECT_EQ(Json::parse(details)["lock"], true);
    }
  });
  std::ranges::sort(actions);
  EXPECT_EQ(actions, (std::vector<std::string>{"CREATE", "CREATE", "DELETE", "EXECUTE", "UPDATE"}));
}

TEST(JobSchedules, FollowTheirPreset) {
  FullJob api;
  const auto in_force = [&] {
    std::string out;
    api.database->read([&](Session& session) {
      out = ScheduleStore{}.jobs(session, /*enabled_only=*/true).at(0).schedule;
    });
    return out;
  };
  EXPECT_EQ(in_force(), "0 * * * *");
  api.send(Method::Put, "/api/templates/schedule-presets/schedule-hourly",
           {.body = R"({"schedule":"5 * * * *"})"});
  EXPECT_EQ(in_force(), "5 * * * *") << "a preset is a live link";
  api.send(Method::Delete, "/api/templates/schedule-presets/schedule-hourly");
  EXPECT_EQ(in_force(), "0 3 * * *");
  api.change({{"enabled", false}});
  api.database->read([&](Session& session) {
    EXPECT_TRUE(ScheduleStore{}.jobs(session, /*enabled_only=*/true).empty());
  });
}

TEST(JobSchedules, TellWhenTheJobRunsNext) {
  FullJob api;
  const auto next = [&] {
    const Json jobs = api.get("/api/jobs").body;
    EXPECT_EQ(jobs.at(0)["nextRunAt"], api.get("/api/jobs/" + jobs.at(0)["id"].get<std::string>()).body["nextRunAt"]);
    return jobs.at(0)["nextRunAt"];
  };
  EXPECT_EQ(next(), "2026-03-09T03:00:00.000Z") << "of the linked preset, every hour";
  api.send(Method::Put, "/api/templates/schedule-presets/schedule-hourly",
           {.body = R"({"schedule":"5 * * * *"})"});
  EXPECT_EQ(next(), "2026-03-09T02:05:00.000Z");
  api.live.update([](Settings& settings) { settings.set_stored("system.timezone", "Europe/Vienna"); });
  api.change({{"schedulePresetId", nullptr}, {"schedule", "0 0 * * *"}});
  EXPECT_EQ(next(), "2026-03-09T23:00:00.000Z") << "midnight in Vienna";
  api.change({{"enabled", false}});
  EXPECT_TRUE(next().is_null());
}

TEST(JobSchedules, ThatCannotBeAreRefusedWithTheReason) {
  ApiFixture api;
  const std::string source = api.make_source();
  const std::string storage = api.make_storage();
  const std::pair<const char*, const char*> cases[] = {{"61 * * * *", "minute"},
                                                       {"0 3 * *", "five fields"},
                                                       {"0 0 30 2 *", "never fires"},
                                                       {"0 0 * * FOO", "day of week"}};
  for (const auto& [schedule, reason] : cases) {
    const testing::Answer answer = api.post("/api/jobs", {{"name", "x"},
                                                 {"schedule", schedule},
                                                 {"sourceId", source},
                                                 {"destinations", {{{"configId", storage}}}}});
    EXPECT_EQ(answer.status, 400) << schedule;
    EXPECT_NE(answer.text.find(reason), std::string::npos) << answer.text;
    EXPECT_NE(answer.text.find("schedule"), std::string::npos) << answer.text;
  }
}

}  // namespace
}  // namespace dbackup::host
