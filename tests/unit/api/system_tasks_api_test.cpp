#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

const std::string kTasks = "/api/settings/system-tasks";

Answer run(ApiFixture& api, const std::string& id) {
  return api.send(Method::Put, kTasks, {.body = Json{{"taskId", id}}.dump()});
}

Json task(ApiFixture& api, const std::string& id) {
  const Json all = api.get(kTasks).body;
  for (const Json& row : all) {
    if (row["id"] == id) return row;
  }
  return nullptr;
}

void wait_idle(ApiFixture& api, const std::string& id) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (api.control->system_tasks().is_running(id) && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  EXPECT_FALSE(api.control->system_tasks().is_running(id));
}

TEST(SystemTaskRoutes, ShowTheTasksInTheOrderOfTheContract) {
  ApiFixture api;
  const Json all = api.get(kTasks).body;
  const char* ids[] = {"system.update_db_versions",   "system.health_check",
                       "system.clean_audit_logs",     "system.check_for_updates",
                       "system.sync_permissions",     "system.config_backup",
                       "system.integrity_check",      "system.refresh_storage_stats",
                       "system.warmup_storage_cache", "system.stuck_execution_check"};
  ASSERT_EQ(all.size(), std::size(ids));
  for (size_t i = 0; i < std::size(ids); ++i) EXPECT_EQ(all[i]["id"], ids[i]);
  const Json clean = task(api, "system.clean_audit_logs");
  EXPECT_EQ(clean["schedule"], "0 0 * * *");
  EXPECT_EQ(clean["runOnStartup"], true);
  EXPECT_EQ(clean["enabled"], true);
  EXPECT_EQ(clean["timezone"], "UTC");
  EXPECT_TRUE(clean["lastRunAt"].is_null());
  EXPECT_EQ(clean["nextRunAt"], "2026-03-10T00:00:00.000Z");
  EXPECT_TRUE(task(api, "system.config_backup")["nextRunAt"].is_null()) << "it cannot run";
}

TEST(SystemTaskRoutes, ChangeInPart) {
  ApiFixture api;
  const auto change = [&](const Json& body) { return api.post(kTasks, body).status; };
  EXPECT_EQ(change({{"taskId", "system.clean_audit_logs"}, {"schedule", "30 4 * * MON"}}), 200);
  EXPECT_EQ(task(api, "system.clean_audit_logs")["schedule"], "30 4 * * MON");
  EXPECT_EQ(task(api, "system.clean_audit_logs")["enabled"], true);
  EXPECT_EQ(task(api, "system.clean_audit_logs")["nextRunAt"], "2026-03-09T04:30:00.000Z");
  EXPECT_EQ(
      change({{"taskId", "system.clean_audit_logs"}, {"enabled", false}, {"runOnStartup", false}}),
      200);
  EXPECT_EQ(task(api, "system.clean_audit_logs")["runOnStartup"], false);
  EXPECT_TRUE(task(api, "system.clean_audit_logs")["nextRunAt"].is_null());
  EXPECT_EQ(change({{"taskId", "health-check"}, {"enabled", true}}), 404);
  EXPECT_EQ(change({{"taskId", "system.health_check"}, {"schedule", "sometimes"}}), 400);
  EXPECT_EQ(change({{"enabled", true}}), 400);
  const Json logs = api.get("/api/audit?resource=SYSTEM&action=UPDATE").body["data"]["logs"];
  ASSERT_EQ(logs.size(), 2U);
  EXPECT_EQ(logs[0]["resourceId"], "system.clean_audit_logs");
}

TEST(SystemTaskRoutes, RunOneNowWithoutWaitingForIt) {
  ApiFixture api;
  const Answer begun = run(api, "system.sync_permissions");
  EXPECT_EQ(begun.status, 200) << begun.text;
  EXPECT_EQ(begun.body,
            (Json{{"success", true}, {"message", "Task started"}, {"executionId", nullptr}}));
  wait_idle(api, "system.sync_permissions");
  EXPECT_EQ(task(api, "system.sync_permissions")["lastRunAt"], "2026-03-09T02:00:04.117Z");
  EXPECT_EQ(run(api, "health-check").status, 404);
  for (const char* id :
       {"system.config_backup", "system.integrity_check", "system.check_for_updates"}) {
    const Answer refused = run(api, id);
    EXPECT_EQ(refused.status, 501) << id;
    EXPECT_NE(refused.text.find(id), std::string::npos) << refused.text;
  }
  EXPECT_EQ(api.get("/api/audit?resource=SYSTEM&action=EXECUTE").body["data"]["logs"].size(), 1U);
}

TEST(SystemTaskRoutes, ListEveryDestinationAnew) {
  ApiFixture api;
  const std::string storage = api.make_storage();
  EXPECT_EQ(api.get("/api/storage/" + storage + "/files").status, 200);
  api.put_backup("Job/late.dump", "bytes");
  EXPECT_EQ(run(api, "system.warmup_storage_cache").status, 200);
  wait_idle(api, "system.warmup_storage_cache");
  EXPECT_NE(api.get("/api/storage/" + storage + "/files").text.find("Job/late.dump"),
            std::string::npos);
}

TEST(SystemTaskRoutes, CutTheAuditLogAtItsOldEnd) {
  ApiFixture api;
  api.make_source();
  const auto total = [&] {
    return api.get("/api/audit").body["data"]["pagination"]["total"].get<int>();
  };
  const int before = total();
  ASSERT_GT(before, 0);
  api.clock.advance(TimeMs{91} * 24 * 3600 * 1000);
  EXPECT_EQ(run(api, "system.clean_audit_logs").status, 200);
  wait_idle(api, "system.clean_audit_logs");
  EXPECT_EQ(total(), 1) << "the run of the task itself";
}

}  // namespace
}  // namespace dbackup::host
