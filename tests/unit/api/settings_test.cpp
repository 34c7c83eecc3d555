#include <gtest/gtest.h>

#include "api/client_gate.hpp"
#include "services/settings_fields.hpp"
#include "store/profile_store.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

const std::string kSystem = "/api/settings/system";
const std::string kLimits = "/api/settings/rate-limits";
const std::string kNotifications = "/api/settings/notifications";
const std::string kConfigBackup = "/api/settings/config-backup";

Answer put(ApiFixture& api, const std::string& path, const Json& body) {
  return api.send(Method::Put, path, {.body = body.dump()});
}

std::string stored(ApiFixture& api, const std::string& key) {
  std::string out;
  api.database->read(
      [&](Session& session) { out = SettingStore{}.get(session, key).value_or("(none)"); });
  return out;
}

std::string make_channel(ApiFixture& api, const std::string& name) {
  const Answer made = api.post("/api/adapters", {{"name", name},
                                                 {"type", "notification"},
                                                 {"adapterId", "scripted-channel"},
                                                 {"config", Json::object()}});
  EXPECT_EQ(made.status, 201) << made.text;
  return made.body["id"].get<std::string>();
}

TEST(SettingGroups, NameSettingsThatTheApiMayStore) {
  for (const auto& group : kSettingGroups) {
    for (const auto& field : group.fields) {
      const SettingRow* row = find_setting(field.key);
      ASSERT_NE(row, nullptr) << field.key;
      EXPECT_FALSE(row->stored_key.empty()) << field.key;
    }
  }
}

TEST(SettingGroups, CoverEverySettingThatTheApiMayStore) {
  for (const auto& row : settings_table()) {
    if (row.stored_key.empty()) continue;
    bool is_there = false;
    for (const auto& group : kSettingGroups) {
      for (const auto& field : group.fields) is_there = is_there || field.key == row.key;
    }
    EXPECT_TRUE(is_there) << row.key << " is stored under " << row.stored_key
                          << ", but has no route";
  }
}

TEST(Settings, HaveTheDefaultsOfTheContract) {
  ApiFixture api;
  const Json data = api.get(kSystem).body["data"];
  EXPECT_EQ(data["maxConcurrentJobs"], 1);
  EXPECT_EQ(data["stuckTimeoutMinutes"], 360);
  EXPECT_EQ(data["disablePasskeyLogin"], false);
  EXPECT_EQ(data["sessionDuration"], 604800);
  EXPECT_EQ(data["auditLogRetentionDays"], 90);
  EXPECT_EQ(data["storageSnapshotRetentionDays"], 90);
  EXPECT_EQ(data["notificationLogRetentionDays"], 90);
  EXPECT_EQ(data["healthLogRetentionDays"], 2);
  EXPECT_EQ(data["checkForUpdates"], true);
  EXPECT_EQ(data["showQuickSetup"], false);
  EXPECT_EQ(data["systemTimezone"], "UTC");
  EXPECT_EQ(data["instanceName"], "");
  EXPECT_EQ(api.get(kLimits).body["data"], (Json{{"authPoints", 5},
                                                 {"authDuration", 60},
                                                 {"apiPoints", 100},
                                                 {"apiDuration", 60},
                                                 {"mutationPoints", 20},
                                                 {"mutationDuration", 60}}));
  EXPECT_EQ(api.get("/api/settings/privacy").body["data"],
            (Json{{"includeActorInMetadata", true}}));
  EXPECT_EQ(
      api.get("/api/settings/integrity").body["data"],
      (Json{{"skipPassed", false}, {"maxAgeDays", 0}, {"maxFileSizeMb", 0}, {"scanMode", "jobs"}}));
  EXPECT_EQ(api.get("/api/system/timezone").body, (Json{{"schedulerTimezone", "UTC"}}));
}

TEST(Settings, ChangeInPartAreStoredAndInForceAtOnce) {
  ApiFixture api;
  const std::string job =
      api.make_job(api.make_source(), api.make_storage(), {{"schedule", "30 8 * * *"}});
  const Answer changed = put(
      api, kSystem,
      {{"maxConcurrentJobs", 3}, {"systemTimezone", "Asia/Kolkata"}, {"instanceName", "north"}});
  ASSERT_EQ(changed.status, 200) << changed.text;
  EXPECT_EQ(changed.body["data"]["maxConcurrentJobs"], 3);
  EXPECT_EQ(changed.body["data"]["stuckTimeoutMinutes"], 360) << "left out: stays";
  EXPECT_EQ(stored(api, "maxConcurrentJobs"), "3");
  EXPECT_EQ(stored(api, "system.timezone"), "Asia/Kolkata");
  EXPECT_EQ(stored(api, "general.instanceName"), "north");
  EXPECT_EQ(stored(api, "execution.stuckTimeoutMinutes"), "(none)");
  EXPECT_EQ(api.control->context().settings().max_concurrent_jobs, 3);
  EXPECT_EQ(api.get("/api/system/timezone").body["schedulerTimezone"], "Asia/Kolkata");
  EXPECT_EQ(api.get("/api/jobs/" + job).body["nextRunAt"], "2026-03-09T03:00:00.000Z")
      << "08:30 in Kolkata";
  put(api, "/api/settings/privacy", {{"includeActorInMetadata", false}});
  EXPECT_FALSE(api.control->context().settings().trigger_actor_in_sidecar);
}

TEST(Settings, GoBackUnchangedAsTheyWereRead) {
  ApiFixture api;
  for (const auto& group : kSettingGroups) {
    const std::string path = "/api/settings/" + std::string{group.id};
    const Json before = api.get(path).body["data"];
    const Answer again = put(api, path, before);
    EXPECT_EQ(again.status, 200) << again.text;
    EXPECT_EQ(again.body["data"], before);
  }
}

TEST(Settings, RefuseWhatIsBeyondTheirLimits) {
  ApiFixture api;
  const struct {
    std::string path;
    Json body;
    const char* field;
  } cases[] = {
      {kSystem, {{"maxConcurrentJobs", 0}}, "maxConcurrentJobs"},
      {kSystem, {{"maxConcurrentJobs", 11}}, "maxConcurrentJobs"},
      {kSystem, {{"maxConcurrentJobs", "3"}}, "maxConcurrentJobs"},
      {kSystem, {{"maxConcurrentJobs", 2.5}}, "maxConcurrentJobs"},
      {kSystem, {{"stuckTimeoutMinutes", 10081}}, "stuckTimeoutMinutes"},
      {kSystem, {{"sessionDuration", 3599}}, "sessionDuration"},
      {kSystem, {{"auditLogRetentionDays", 0}}, "auditLogRetentionDays"},
      {kSystem, {{"storageSnapshotRetentionDays", 6}}, "storageSnapshotRetentionDays"},
      {kSystem, {{"checkForUpdates", "yes"}}, "checkForUpdates"},
      {kSystem, {{"systemTimezone", "Mars/Olympus"}}, "systemTimezone"},
      {kSystem, {{"systemTimezone", ""}}, "systemTimezone"},
      {kSystem, {{"systemTimezone", "../../etc/passwd"}}, "systemTimezone"},
      {kSystem, {{"filenamePattern", "a/b"}}, "filenamePattern"},
      {kSystem, {{"filenamePattern", ""}}, "filenamePattern"},
      {kSystem, {{"instanceName", std::string(51, 'x')}}, "instanceName"},
      {kLimits, {{"authPoints", 1001}}, "authPoints"},
      {kLimits, {{"apiPoints", 10001}}, "apiPoints"},
      {kLimits, {{"mutationDuration", 9}}, "mutationDuration"},
      {"/api/settings/integrity", {{"scanMode", "all"}}, "scanMode"},
      {"/api/settings/integrity", {{"maxAgeDays", 3651}}, "maxAgeDays"},
      {"/api/settings/privacy", {{"includeActorInMetadata", nullptr}}, "includeActorInMetadata"},
  };
  for (const auto& [path, body, field] : cases) {
    const Answer answer = put(api, path, body);
    EXPECT_EQ(answer.status, 400) << path << body;
    EXPECT_NE(answer.text.find(field), std::string::npos) << answer.text;
  }
  EXPECT_EQ(put(api, kSystem, {{"instanceName", "kept"}, {"maxConcurrentJobs", 99}}).status, 400);
  EXPECT_EQ(api.get(kSystem).body["data"]["instanceName"], "") << "all of a change, or nothing";
}

TEST(Settings, ThatTheServerWasStartedWithCannotBeChangedHere) {
  ApiFixture api;
  api.live.update([](Settings& settings) {
    settings = Settings::load({.environment = {{"DBACKUP_RATE_LIMITS_ENABLED", "false"},
                                               {"DBACKUP_QUEUE_MAX_CONCURRENT_JOBS", "4"}}});
  });
  const Answer shown = api.get(kSystem);
  EXPECT_EQ(shown.body["data"]["maxConcurrentJobs"], 4);
  EXPECT_EQ(shown.body["pinned"], (Json{{"maxConcurrentJobs", "environment"}}));
  const Answer refused = put(api, kSystem, {{"maxConcurrentJobs", 2}});
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.text.find("environment"), std::string::npos) << refused.text;
  EXPECT_NE(refused.text.find("queue.max_concurrent_jobs"), std::string::npos);
  EXPECT_EQ(put(api, kSystem, {{"maxConcurrentJobs", 4}, {"instanceName", "x"}}).status, 200)
      << "what would not change may come back";
}

TEST(Settings, OfRateLimitsKeepTheCountersAndCanBeReset) {
  ApiFixture api;
  api.live.update([](Settings& settings) { settings = Settings::load({}); });
  ClientGate gate{api.live, api.clock};
  const auto admitted = [&] {
    HttpRequest request;
    request.method = Method::Get;
    request.segments = {"api", "jobs"};
    request.client_address = "10.0.0.1";
    return !gate.admit(request);
  };
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(admitted());
  EXPECT_FALSE(admitted());
  EXPECT_EQ(put(api, kLimits, {{"apiPoints", 102}}).status, 200);
  EXPECT_TRUE(admitted());
  EXPECT_TRUE(admitted());
  EXPECT_FALSE(admitted()) << "the hundred before still count";
  const Answer reset = api.send(Method::Delete, kLimits);
  EXPECT_EQ(reset.status, 200);
  EXPECT_EQ(reset.body["data"]["apiPoints"], 100);
  EXPECT_EQ(stored(api, "rateLimit.api.points"), "(none)");
  EXPECT_FALSE(admitted());
}

TEST(Settings, NeedTheirPermissionsAndLeaveATrace) {
  ApiFixture api;
  const std::string reader = api.key_with({"settings:read"});
  EXPECT_EQ(api.get(kSystem, {.key = reader}).status, 200);
  EXPECT_EQ(api.send(Method::Put, kSystem, {.body = "{}", .key = reader}).status, 403);
  EXPECT_EQ(api.get("/api/system/timezone", {.key = api.key_with({"jobs:read"})}).status, 200);
  put(api, kSystem, {{"instanceName", "traced"}});
  api.send(Method::Delete, kLimits);
  const Json logs = api.get("/api/audit?resource=SYSTEM").body["data"]["logs"];
  ASSERT_EQ(logs.size(), 2U);
  std::set<std::string> ids;
  for (const Json& entry : logs) {
    EXPECT_EQ(entry["action"], "UPDATE");
    ids.insert(entry["resourceId"].get<std::string>());
    if (entry["resourceId"] != "system") continue;
    EXPECT_EQ(Json::parse(entry["details"].get<std::string>())["changed"],
              (Json{{"instanceName", "traced"}}));
  }
  EXPECT_EQ(ids, (std::set<std::string>{"rate-limits", "system"}));
}

TEST(Settings, ChangedByAnotherHostAreTakenOverByTheSchedulersLook) {
  ApiFixture api;
  api.control->scheduler().turn();
  api.database->write([](Session& session) {
    SettingStore{}.set(session, "maxConcurrentJobs", "7");
    SettingStore{}.set(session, "general.instanceName", std::string(99, 'x'));
  });
  api.clock.advance(60'000);
  api.control->scheduler().turn();
  EXPECT_EQ(api.get(kSystem).body["data"]["maxConcurrentJobs"], 7);
  EXPECT_EQ(api.get(kSystem).body["data"]["instanceName"], "") << "does not fit, is left out";
  api.database->write(
      [](Session& session) { SettingStore{}.remove(session, "maxConcurrentJobs"); });
  api.clock.advance(60'000);
  api.control->scheduler().turn();
  EXPECT_EQ(api.get(kSystem).body["data"]["maxConcurrentJobs"], 1);
}

TEST(NotificationSettings, ShowEventsChannelsAndDefaults) {
  ApiFixture api;
  const std::string channel = make_channel(api, "chat");
  const Json data = api.get(kNotifications).body["data"];
  EXPECT_EQ(data["globalChannels"], Json::array());
  EXPECT_EQ(data["events"].size(), 17U);
  EXPECT_EQ(data["events"]["restore_failure"],
            (Json{{"enabled", true}, {"channels", nullptr}, {"notifyUser", "none"}}));
  EXPECT_EQ(data["events"]["backup_success"]["enabled"], false) << "jobs have their own channels";
  EXPECT_EQ(
      data["availableChannels"],
      (Json::array({{{"id", channel}, {"name", "chat"}, {"adapterId", "scripted-channel"}}})));
  EXPECT_EQ(data["eventDefinitions"].size(), 17U);
}

TEST(NotificationSettings, ChangeInPartAndKeepReminders) {
  ApiFixture api;
  const std::string channel = make_channel(api, "chat");
  const Answer changed =
      put(api, kNotifications,
          {{"globalChannels", {channel, channel}},
           {"events",
            {{"connection_offline", {{"reminderIntervalHours", 6}}},
             {"restore_complete", {{"enabled", false}, {"channels", {channel}}}}}}});
  ASSERT_EQ(changed.status, 200) << changed.text;
  EXPECT_EQ(changed.body["data"]["globalChannels"], (Json{channel}));
  EXPECT_EQ(changed.body["data"]["events"]["connection_offline"],
            (Json{{"enabled", true},
                  {"channels", nullptr},
                  {"notifyUser", "none"},
                  {"reminderIntervalHours", 6}}));
  put(api, kNotifications, {{"events", {{"restore_complete", {{"enabled", true}}}}}});
  const Json data = api.get(kNotifications).body["data"];
  EXPECT_EQ(data["events"]["restore_complete"]["channels"], (Json{channel}))
      << "stays within the event";
  EXPECT_EQ(data["globalChannels"], (Json{channel}));
  EXPECT_EQ(put(api, kNotifications,
                {{"globalChannels", data["globalChannels"]}, {"events", data["events"]}})
                .status,
            200)
      << "an answer can be sent back";
}

TEST(NotificationSettings, RefuseUnknownEventsAndChannels) {
  ApiFixture api;
  const std::string storage = api.make_storage();
  const std::pair<Json, const char*> cases[] = {
      {{{"globalChannels", {"nobody"}}}, "globalChannels[0]"},
      {{{"globalChannels", {storage}}}, "globalChannels[0]"},
      {{{"events", {{"doorbell", {{"enabled", true}}}}}}, "events.doorbell"},
      {{{"events", {{"user_login", {{"notifyUser", "never"}}}}}}, "notifyUser"},
      {{{"events", {{"user_login", {{"channels", {storage}}}}}}}, "channels[0]"},
      {{{"events", {{"user_login", {{"reminderIntervalHours", 0}}}}}}, "reminderIntervalHours"},
      {{{"events", {{"user_login", true}}}}, "user_login"},
  };
  for (const auto& [body, field] : cases) {
    const Answer answer = put(api, kNotifications, body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_NE(answer.text.find(field), std::string::npos) << answer.text;
  }
}

TEST(NotificationSettings, SendASampleToTheChannelsOfTheEvent) {
  ApiFixture api;
  const std::string test = kNotifications + "/test";
  EXPECT_EQ(api.post(test, {{"eventType", "doorbell"}}).status, 400);
  EXPECT_EQ(api.post(test, {{"eventType", "restore_failure"}}).status, 409) << "no channel yet";
  const std::string channel = make_channel(api, "chat");
  put(api, kNotifications, {{"globalChannels", {channel}}});
  const Answer sent = api.post(test, {{"eventType", "backup_success"}});
  ASSERT_EQ(sent.status, 200) << sent.text;
  EXPECT_EQ(sent.body["data"]["succeeded"].get<int>() + sent.body["data"]["failed"].get<int>(), 1);
  EXPECT_EQ(api.send(Method::Delete, "/api/adapters/" + channel).status, 200);
  EXPECT_EQ(api.get(kNotifications).body["data"]["globalChannels"], Json::array())
      << "a channel that is gone is no channel";
}

TEST(ConfigBackupSettings, AreKeptForTheVersionThatMakesThem) {
  ApiFixture api;
  EXPECT_EQ(api.get(kConfigBackup).body["data"], (Json{{"enabled", false},
                                                       {"storageId", nullptr},
                                                       {"profileId", nullptr},
                                                       {"includeSecrets", false},
                                                       {"includeStatistics", false},
                                                       {"retention", 10}}));
  const std::string storage = api.make_storage();
  EXPECT_EQ(put(api, kConfigBackup, {{"enabled", true}}).status, 400) << "where to?";
  EXPECT_EQ(put(api, kConfigBackup, {{"storageId", "nowhere"}}).status, 400);
  EXPECT_EQ(put(api, kConfigBackup, {{"includeSecrets", true}}).status, 400)
      << "encrypted for whom?";
  EXPECT_EQ(put(api, kConfigBackup, {{"retention", 0}}).status, 400);
  const Answer changed =
      put(api, kConfigBackup, {{"enabled", true}, {"storageId", storage}, {"retention", 3}});
  ASSERT_EQ(changed.status, 200) << changed.text;
  EXPECT_EQ(changed.body["data"]["storageId"], storage);
  EXPECT_EQ(stored(api, "config.backup.retention"), "3");
  EXPECT_EQ(put(api, kConfigBackup, {{"enabled", false}, {"storageId", nullptr}}).status, 200);
  EXPECT_TRUE(api.get(kConfigBackup).body["data"]["storageId"].is_null());
  for (const char* path : {"run", "restore", "restore-upload"}) {
    const Answer answer = api.post(std::string{"/api/config-backup/"} + path, Json::object());
    EXPECT_EQ(answer.status, 501) << path;
  }
}

}  // namespace
}  // namespace dbackup::host
