#include <gtest/gtest.h>

#include "control/notification_log.hpp"
#include "store/execution_store.hpp"
#include "store/notification_log_store.hpp"
#include "tests/unit/api/api_fixture.hpp"

/// Counts for people, and the log of notifications.
namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

constexpr TimeMs kHour = 3'600'000;
constexpr TimeMs kDay = 24 * kHour;

struct Dashboard : ApiFixture {
  void add(const std::string& status, TimeMs at, const std::string& type = "Backup",
           Json metadata = Json::object()) {
    Execution run{.id = "run-" + std::to_string(++count),
                  .job_name = "Nightly",
                  .type = type,
                  .status = status};
    run.started_at = at;
    if (status != "Pending" && status != "Running") run.ended_at = at + 1500;
    run.metadata = std::move(metadata);
    database->write([&](Session& session) { ExecutionStore{}.insert(session, run); });
  }
  Json data(const std::string& path) {
    const Answer answer = get("/api/dashboard/" + path);
    EXPECT_EQ(answer.status, 200) << path << answer.text;
    return answer.body.value("data", Json{});
  }
  void set_zone(const std::string& zone) {
    live.update([&](Settings& settings) { settings.set_stored("system.timezone", zone); });
  }
  int count = 0;
};

Json on(const Json& days, const std::string& date) {
  for (const Json& day : days) {
    if (day["date"] == date) return day;
  }
  return nullptr;
}

TEST(Calendar, CountsBackupsOfEachDayOfAYear) {
  Dashboard api;
  const TimeMs march = parse_iso8601("2024-03-09T12:00:00Z", "t");
  for (const char* status :
       {"Success", "Success", "Failed", "Partial", "Cancelled", "Running", "Pending"})
    api.add(status, march);
  api.add("Success", march, "Restore");
  api.add("Success", parse_iso8601("2024-12-31T23:59:59.999Z", "t"));
  api.add("Success", parse_iso8601("2025-01-01T00:00:00Z", "t"));
  const Json days = api.data("calendar?year=2024");
  ASSERT_EQ(days.size(), 366U) << "a leap year, all of it";
  EXPECT_EQ(days[0]["date"], "2024-01-01");
  EXPECT_EQ(days[0]["total"], 0);
  EXPECT_EQ(
      on(days, "2024-03-09"),
      (Json{
          {"date", "2024-03-09"}, {"total", 7}, {"completed", 2}, {"failed", 1}, {"partial", 1}}));
  EXPECT_EQ(on(days, "2024-12-31")["total"], 1);
  EXPECT_EQ(api.data("calendar?year=2100").size(), 365U) << "the future is empty";
  EXPECT_EQ(api.data("calendar/years"), (Json{2024, 2025}));
  for (const char* bad : {"1999", "2101", "x", "20.5"})
    EXPECT_EQ(api.get(std::string{"/api/dashboard/calendar?year="} + bad).status, 400) << bad;
}

TEST(Calendar, ShowsTheLastTwelveMonthsWithoutAYear) {
  Dashboard api;
  api.add("Success", api.clock.now_ms());
  const Json days = api.data("calendar");
  EXPECT_EQ(days.front()["date"], "2025-03-09");
  EXPECT_EQ(days.back()["date"], "2026-03-09");
  EXPECT_EQ(days.back()["completed"], 1);
  EXPECT_EQ(days.size(), 366U);
}

TEST(Calendar, GoesByTheDaysOfTheSystemTimeZone) {
  Dashboard api;
  api.set_zone("Europe/Vienna");
  api.add("Success", parse_iso8601("2026-03-28T22:59:59Z", "t"));  // 23:59:59 there
  api.add("Success",
          parse_iso8601("2026-03-28T23:00:00Z", "t"));  // midnight of the day that has 23 hours
  api.add("Success", parse_iso8601("2026-03-29T21:59:59Z", "t"));
  api.add("Success", parse_iso8601("2026-03-29T22:00:00Z", "t"));
  api.add("Success", parse_iso8601("2026-10-25T22:59:59Z", "t"));  // the end of the one that has 25
  api.add("Success", parse_iso8601("2025-12-31T23:00:00Z", "t"));
  const Json days = api.data("calendar?year=2026");
  EXPECT_EQ(days.size(), 365U);
  EXPECT_EQ(on(days, "2026-01-01")["total"], 1);
  EXPECT_EQ(on(days, "2026-03-28")["total"], 1);
  EXPECT_EQ(on(days, "2026-03-29")["total"], 2);
  EXPECT_EQ(on(days, "2026-03-30")["total"], 1);
  EXPECT_EQ(on(days, "2026-10-25")["total"], 1);
  EXPECT_EQ(api.data("calendar/years"), (Json{2026}));
}

TEST(DashboardStats, CountJobsRunsAndBackups) {
  Dashboard nothing;
  Json stats = nothing.data("stats");
  EXPECT_EQ(stats["successRate30d"], 100.0) << "no run at all";
  EXPECT_EQ(stats["totalJobs"], 0);
  Dashboard api;
  const std::string storage = api.make_storage();
  const std::string source = api.make_source();
  api.make_job(source, storage);
  api.make_job(source, storage, {{"enabled", false}});
  api.put_backup("Orders/a.dump", "12345");
  api.put_backup("Orders/b.dump", "123");
  api.get("/api/storage/" + storage + "/files");
  Dashboard other;  // counts are kept for a moment: another server has not been asked yet
  const TimeMs now = other.clock.now_ms();
  for (int i = 0; i < 5; ++i) other.add("Success", now - kHour);
  other.add("Failed", now - 2 * kHour);
  other.add("Failed", now - 3 * kDay);
  other.add("Partial", now - 3 * kDay);
  other.add("Cancelled", now - 3 * kDay);
  other.add("Failed", now - 31 * kDay);
  stats = other.data("stats");
  EXPECT_EQ(stats["success24h"], 5);
  EXPECT_EQ(stats["failed24h"], 1);
  EXPECT_EQ(stats["successRate30d"], 62.5);
  EXPECT_EQ(other.data("status-distribution"), (Json{{{"status", "Success"}, {"count", 5}},
                                                     {{"status", "Partial"}, {"count", 1}},
                                                     {{"status", "Failed"}, {"count", 2}},
                                                     {{"status", "Cancelled"}, {"count", 1}}}));
  stats = api.data("stats");
  EXPECT_EQ(stats["totalJobs"], 2);
  EXPECT_EQ(stats["activeSchedules"], 1);
  const Answer sizes = api.get("/api/dashboard/storage");
  ASSERT_EQ(sizes.status, 200) << sizes.text;
  ASSERT_EQ(sizes.body["data"].size(), 1U);
  EXPECT_EQ(sizes.body["data"][0]["configId"], storage);
  EXPECT_EQ(api.get("/api/dashboard/storage", {.key = api.key_with({"history:read"})}).status, 403);
}

TEST(DashboardStorage, ShowsWhatLiesAtEachDestination) {
  Dashboard api;
  const std::string storage = api.make_storage();
  api.put_backup("Orders/a.dump", "12345");
  api.put_backup("Orders/b.dump", "123");
  api.get("/api/storage/" + storage + "/files");
  const std::string empty = api.make_storage();
  const Answer answer = api.get("/api/dashboard/storage");
  ASSERT_EQ(answer.status, 200) << answer.text;
  ASSERT_EQ(answer.body["data"].size(), 2U);
  for (const Json& row : answer.body["data"]) {
    EXPECT_EQ(row["count"], row["configId"] == storage ? 2 : 0);
    EXPECT_EQ(row["size"], row["configId"] == storage ? 8 : 0);
    EXPECT_EQ(row["adapterId"], "scripted-disk");
  }
  EXPECT_FALSE(answer.body["updatedAt"].is_null());
  EXPECT_EQ(api.data("stats")["totalSnapshots"], 2);
  EXPECT_EQ(api.data("stats")["totalStorageBytes"], 8);
}

TEST(DashboardActivity, ShowsRunsOfTheLastDays) {
  Dashboard api;
  const TimeMs now = api.clock.now_ms();
  for (const char* status : {"Success", "Failed", "Partial", "Running", "Pending", "Cancelled"})
    api.add(status, now - kDay, "Restore");
  const Json days = api.data("activity");
  ASSERT_EQ(days.size(), 14U);
  EXPECT_EQ(days.back()["date"], "2026-03-09");
  EXPECT_EQ(days[12], (Json{{"date", "2026-03-08"},
                            {"completed", 1},
                            {"failed", 1},
                            {"partial", 1},
                            {"running", 1},
                            {"pending", 1},
                            {"cancelled", 1}}));
  EXPECT_EQ(api.data("activity?days=1").size(), 1U);
  for (const char* bad : {"0", "367", "x"})
    EXPECT_EQ(api.get(std::string{"/api/dashboard/activity?days="} + bad).status, 400) << bad;
}

TEST(DashboardLatest, ShowsTheNewestRunsInShort) {
  Dashboard api;
  const TimeMs now = api.clock.now_ms();
  api.add("Success", now - 2, "Backup",
          {{"sourceName", "Orders DB"},
           {"sourceType", "postgres"},
           {"names", {"orders"}},
           {"label", "orders"}});
  api.add("Pending", now - 1, "Restore");
  const Json rows = api.data("latest");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0]["databaseName"], nullptr);
  EXPECT_EQ(rows[0]["duration"], 1);
  EXPECT_EQ(rows[1], (Json{{"id", "run-1"},
                           {"type", "Backup"},
                           {"status", "Success"},
                           {"jobName", "Nightly"},
                           {"sourceName", "Orders DB"},
                           {"sourceType", "postgres"},
                           {"databaseName", "orders"},
                           {"startedAt", format_iso8601(now - 2)},
                           {"duration", 1500}}));
  EXPECT_EQ(api.data("latest?limit=1").size(), 1U);
  EXPECT_EQ(api.get("/api/dashboard/latest?limit=0").status, 400);
}

NotificationLog entry(const std::string& id, const std::string& status, TimeMs at) {
  NotificationLog out{.id = id,
                      .event_type = status == "Success" ? "backup_success" : "backup_failure",
                      .channel_id = "c",
                      .channel_name = "chat",
                      .adapter_id = "generic-webhook",
                      .status = status,
                      .title = "t",
                      .message = "m"};
  out.sent_at = at;
  if (status == "Failed") out.error = "refused";
  out.execution_id = "run-" + id;
  return out;
}

TEST(NotificationLogs, AreListedFilteredAndShown) {
  ApiFixture api;
  api.database->write([&](Session& session) {
    for (int i = 1; i <= 7; ++i)
      NotificationLogStore{}.insert(
          session, entry(std::to_string(i), i % 2 == 0 ? "Failed" : "Success", 1000 + i));
    NotificationLog mail = entry("8", "Success", 500);
    mail.adapter_id = "email";
    mail.fields = R"([{"name":"Job","value":"x"}])";
    mail.execution_id = "";
    NotificationLogStore{}.insert(session, mail);
  });
  const auto ids = [&](const std::string& query) {
    const Answer answer = api.get("/api/notification-logs" + query);
    EXPECT_EQ(answer.status, 200) << query << answer.text;
    std::string out;
    for (const Json& row : answer.body["data"]) out += row["id"].get<std::string>();
    return out + "/" + std::to_string(answer.body["total"].get<int>());
  };
  EXPECT_EQ(ids(""), "76543218/8");
  EXPECT_EQ(ids("?pageSize=3"), "765/8");
  EXPECT_EQ(ids("?pageSize=3&page=3"), "18/8");
  EXPECT_EQ(ids("?page=1000000000&pageSize=200"), "/8");
  EXPECT_EQ(ids("?status=Failed"), "642/3");
  EXPECT_EQ(ids("?adapterId=email"), "8/1");
  EXPECT_EQ(ids("?eventType=backup_failure&status=Failed&adapterId=generic-webhook"), "642/3");
  EXPECT_EQ(ids("?executionId=run-4"), "4/1");
  EXPECT_EQ(ids("?executionId=run-4&status=Success"), "/0");
  for (const char* bad : {"?page=0", "?page=x", "?pageSize=0", "?pageSize=201", "?status=success"})
    EXPECT_EQ(api.get(std::string{"/api/notification-logs"} + bad).status, 400) << bad;
  const Answer one = api.get("/api/notification-logs/8");
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.body["id"], "8") << "the bare object";
  EXPECT_EQ(one.body["fields"], R"([{"name":"Job","value":"x"}])");
  EXPECT_EQ(one.body["executionId"], nullptr);
  EXPECT_EQ(one.body["error"], nullptr);
  EXPECT_EQ(api.get("/api/notification-logs/none").status, 404);
  EXPECT_EQ(api.get("/api/notification-logs", {.key = api.key_with({"notifications:read"})}).status,
            403);
}

TEST(NotificationLogs, AreKeptAsLongAsTheSettingSays) {
  ApiFixture api;
  const TimeMs now = api.clock.now_ms();
  api.database->write([&](Session& session) {
    NotificationLogStore{}.insert(session, entry("old", "Success", now - 91 * kDay));
    NotificationLogStore{}.insert(session, entry("new", "Success", now - 89 * kDay));
  });
  const auto sweep = [&] {
    int64_t gone = 0;
    api.database->write(
        [&](Session& session) { gone = sweep_notification_log(session, *api.live.now(), now); });
    return gone;
  };
  EXPECT_EQ(sweep(), 1);
  EXPECT_EQ(api.get("/api/notification-logs").body["data"][0]["id"], "new");
  EXPECT_EQ(sweep(), 0);
}

TEST(NotificationEntry, HoldsNoSecretWhateverIsQuoted) {
  const AdapterConfig channel{.id = "c", .name = "chat", .adapter_id = "generic-webhook"};
  const std::vector<std::string> secrets{"https://hooks.example.net/T1/B2?token=x", "hunter2-token",
                                         "abc"};
  const Json event{
      {"eventType", "backup_failure"},
      {"title", "Backup Failed: x"},
      {"message", "hunter2-token was refused"},
      {"fields", {{{"name", "Error"}, {"value", "see https://hooks.example.net/T1/B2?token=x"}}}}};
  const NotificationLog entry = notification_entry(channel, secrets, event, "run",
                                                   "POST /T1/B2?token=x to 10.0.0.7 failed", 7);
  const std::string all = entry.message + entry.fields + entry.rendered_payload + entry.error;
  for (const char* secret : {"hunter2", "T1/B2", "token=x", "10.0.0.7"})
    EXPECT_EQ(all.find(secret), std::string::npos) << secret << " in " << all;
  EXPECT_EQ(entry.status, "Failed");
  EXPECT_EQ(entry.message, "[hidden] was refused");
  EXPECT_EQ(entry.event_type, "backup_failure");
  EXPECT_EQ(Json::parse(entry.rendered_payload)["title"], "Backup Failed: x");
}

TEST(NotificationEntry, KeepsWhatTheChannelSaysItDelivered) {
  const AdapterConfig channel{.id = "c", .name = "mail", .adapter_id = "email"};
  const std::vector<std::string> secrets{"a&b<secret>"};
  const Json event{{"eventType", "backup_failure"}, {"title", "T"}};
  const auto entry = [&](const std::string& text, const std::string& format) {
    return notification_entry(channel, secrets, event, "run", "", 7, {text, format});
  };
  const NotificationLog page = entry("<p>T a&amp;b&lt;secret&gt;</p>", "html");
  EXPECT_EQ(page.rendered_html, "<p>T [hidden]</p>");
  EXPECT_EQ(Json::parse(page.rendered_payload), event);
  const NotificationLog body = entry(R"({"text":"T a&b<secret>"})", "json");
  EXPECT_EQ(body.rendered_html, "");
  EXPECT_EQ(body.rendered_payload, R"({"text":"T [hidden]"})");
  EXPECT_EQ(Json::parse(entry("no JSON", "json").rendered_payload), event);
}

}  // namespace
}  // namespace dbackup::host
