#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "store/backup_store.hpp"
#include "store/execution_store.hpp"
#include "store/query.hpp"
#include "tests/unit/api/api_fixture.hpp"

/// Lists of runs, their logs and how they end, as clients see them.
namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

struct Runs : ApiFixture {
  std::string job = make_job(make_source(), make_storage(), {{"name", "Nightly"}});

  std::string add(Execution run) {
    if (run.id.empty()) run.id = "run-" + std::to_string(++count);
    if (run.started_at == 0) run.started_at = clock.now_ms() + count;
    database->write([&](Session& session) { ExecutionStore{}.insert(session, run); });
    return run.id;
  }
  std::vector<std::string> ids(const std::string& query, const std::string& key = "") {
    const Answer answer = get("/api/executions" + query, {.key = key});
    EXPECT_EQ(answer.status, 200) << query << answer.text;
    std::vector<std::string> out;
    for (const Json& run : answer.body["data"]) out.push_back(run["id"].get<std::string>());
    return out;
  }
  int count = 0;
};

using Ids = std::vector<std::string>;

TEST(ExecutionList, ShowsRunsNewestFirstAsTheirDetailDoes) {
  Runs api;
  api.add({.id = "a", .job_id = api.job, .job_name = "Nightly", .status = "Success", .size = 17});
  api.add({.id = "b", .type = "Restore", .status = "Failed", .error = "no room"});
  const Answer answer = api.get("/api/executions");
  ASSERT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.body["total"], 2);
  EXPECT_EQ(answer.body["page"], 1);
  EXPECT_EQ(answer.body["pageSize"], 50);
  EXPECT_EQ(answer.body["nextCursor"], nullptr);
  ASSERT_EQ(answer.body["data"].size(), 2U);
  for (const Json& run : answer.body["data"])
    EXPECT_EQ(run, api.get("/api/executions/" + run["id"].get<std::string>()).body["data"]);
  EXPECT_FALSE(answer.body["data"][0].contains("logs"));
}

TEST(ExecutionList, FiltersByEverythingAtOnce) {
  Runs api;
  const TimeMs day = 86'400'000, noon = 1'767'268'800'000;  // 2026-01-01T12:00:00Z
  api.add({.id = "a",
           .job_id = api.job,
           .status = "Success",
           .started_at = noon,
           .labels = {{"env", "prod"}, {"v", "a=b"}}});
  api.add({.id = "b",
           .job_id = api.job,
           .status = "Failed",
           .started_at = noon + day,
           .labels = {{"env", "prod"}}});
  api.add({.id = "c", .type = "Restore", .status = "Success", .started_at = noon + 2 * day});
  EXPECT_EQ(api.ids(""), (Ids{"c", "b", "a"}));
  EXPECT_EQ(api.ids("?jobId=" + api.job), (Ids{"b", "a"}));
  EXPECT_EQ(api.ids("?jobId=unknown"), Ids{});
  EXPECT_EQ(api.ids("?status=Success"), (Ids{"c", "a"}));
  EXPECT_EQ(api.ids("?type=Backup"), (Ids{"b", "a"}));
  EXPECT_EQ(api.ids("?from=2026-01-02T12:00:00Z"), (Ids{"c", "b"})) << "from counts";
  EXPECT_EQ(api.ids("?to=2026-01-02T12:00:00Z"), Ids{"a"}) << "to does not";
  EXPECT_EQ(api.ids("?from=2026-01-02T14:00:00%2B02:00&to=2026-01-03T00:00:00Z"), Ids{"b"});
  EXPECT_EQ(api.ids("?label=env=prod"), (Ids{"b", "a"}));
  EXPECT_EQ(api.ids("?label=env%3Dprod&label=v=a%3Db"), Ids{"a"});
  EXPECT_EQ(api.ids("?label=env=prod&status=Failed&type=Backup&jobId=" + api.job), Ids{"b"});
  EXPECT_EQ(api.ids("?label=env=test"), Ids{});
  EXPECT_EQ(api.ids("?status=&type=&label=&jobId=&from=&cursor="), (Ids{"c", "b", "a"}))
      << "empty is not given";
}

TEST(ExecutionList, GoesOnByPageAndByCursorToTheEnd) {
  Runs api;
  for (int i = 0; i < 25; ++i)
    api.add({.status = i % 2 == 0 ? "Success" : "Failed", .started_at = 1000 + i / 3});
  for (const std::string filter : {"", "&status=Success"}) {
    const Ids all = api.ids("?pageSize=200" + filter);
    EXPECT_EQ(all.size(), filter.empty() ? 25U : 13U);
    Ids paged, walked;
    for (int page = 1; page <= 4; ++page) {
      const Ids part = api.ids("?pageSize=7&page=" + std::to_string(page) + filter);
      paged.insert(paged.end(), part.begin(), part.end());
    }
    EXPECT_EQ(paged, all);
    std::string cursor;
    for (int page = 1; page <= 4; ++page) {
      const Answer answer = api.get("/api/executions?pageSize=7" + filter +
                                    (cursor.empty() ? "" : "&cursor=" + cursor));
      EXPECT_EQ(answer.body["page"], page);
      EXPECT_EQ(answer.body["total"], all.size());
      for (const Json& run : answer.body["data"]) walked.push_back(run["id"].get<std::string>());
      if (answer.body["nextCursor"].is_null()) break;
      cursor = answer.body["nextCursor"].get<std::string>();
    }
    EXPECT_EQ(walked, all);
  }
  EXPECT_EQ(api.ids("?page=1000000000&pageSize=200"), Ids{});
}

TEST(ExecutionList, NamesWhatIsWrongWithItsConditions) {
  Runs api;
  const std::pair<const char*, const char*> bad[] = {
      {"?status=Done", "status"},
      {"?type=Dump", "type"},
      {"?page=0", "page"},
      {"?page=x", "page"},
      {"?pageSize=201", "pageSize"},
      {"?pageSize=1.5", "pageSize"},
      {"?from=yesterday", "from"},
      {"?to=2026-13-01T00:00:00Z", "to"},
      {"?from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z", "\\\"from\\\" must be before"},
      {"?label=env", "label"},
      {"?label==prod", "label"},
      {"?cursor=xyz", "cursor"},
      {"?cursor=31", "cursor"},
      {"?cursor=312031206120", "cursor"},
      {"?cursor=312031203120&page=2", "cannot be combined"},
  };
  for (const auto& [query, reason] : bad) {
    const Answer answer = api.get(std::string{"/api/executions"} + query);
    EXPECT_EQ(answer.status, 400) << query << answer.text;
    EXPECT_NE(answer.text.find(reason), std::string::npos) << query << answer.text;
  }
  std::string many = "?label=a=b";
  for (int i = 0; i < 16; ++i) many += "&label=a=b";
  EXPECT_EQ(api.get("/api/executions" + many).status, 400);
}

TEST(ExecutionList, IsForHoldersOfHistoryRead) {
  Runs api;
  EXPECT_EQ(api.get("/api/executions", {.key = api.key_with({"history:read"})}).status, 200);
  EXPECT_EQ(api.get("/api/executions", {.key = api.key_with({"jobs:read"})}).status, 403);
}

TEST(RunLabels, ReachTheRunTheListAndTheBackups) {
  Runs api;
  const std::string storage = api.make_storage();
  const Answer run =
      api.post("/api/jobs/" + api.job + "/run", {{"labels", {{"release", "2026.3"}}}});
  ASSERT_EQ(run.status, 200) << run.text;
  const std::string id = run.body["executionId"].get<std::string>();
  EXPECT_EQ(api.get("/api/executions/" + id).body["data"]["labels"], (Json{{"release", "2026.3"}}));
  EXPECT_EQ(api.ids("?label=release=2026.3"), Ids{id});

  api.put_backup("Nightly/a.dump", "a",
                 {{"version", 1},
                  {"jobName", "Nightly"},
                  {"jobId", api.job},
                  {"labels", {{"release", "2026.3"}}}});
  api.put_backup("Nightly/b.dump", "b",
                 {{"version", 1},
                  {"jobName", "Nightly"},
                  {"jobId", "other"},
                  {"labels", {{"release", "2026.4"}}}});
  api.put_backup("Weekly/c.dump", "c");
  const std::string files = "/api/storage/" + storage + "/files";
  const auto paths = [&](const std::string& query) {
    std::set<std::string> out;
    const Answer answer = api.get(files + query);
    EXPECT_EQ(answer.status, 200) << query << answer.text;
    for (const Json& file : answer.body) out.insert(file["path"].get<std::string>());
    return out;
  };
  using Paths = std::set<std::string>;
  EXPECT_EQ(paths("").size(), 3U);
  EXPECT_EQ(paths("?label=release=2026.3"), Paths{"Nightly/a.dump"});
  EXPECT_EQ(paths("?jobName=Nightly"), (Paths{"Nightly/a.dump", "Nightly/b.dump"}));
  EXPECT_EQ(paths("?jobName=Weekly"), Paths{"Weekly/c.dump"}) << "by its folder";
  EXPECT_EQ(paths("?jobId=" + api.job + "&label=release=2026.4"), Paths{});
  EXPECT_EQ(paths("?pageSize=2").size(), 2U);
  EXPECT_EQ(paths("?pageSize=2&page=2").size(), 1U);
  EXPECT_EQ(api.get(files + "?pageSize=2&typeFilter=BACKUP").status, 400);
  EXPECT_EQ(api.get(files + "?label=release").status, 400);
  EXPECT_EQ(api.get(files + "?page=zero").status, 400);
}

TEST(History, ShowsTheNewestHundredWithTheTimeZone) {
  Runs api;
  for (int i = 0; i < 103; ++i)
    api.add({.job_id = api.job, .job_name = "Nightly", .status = "Success"});
  const Answer answer = api.get("/api/history");
  ASSERT_EQ(answer.status, 200) << answer.text;
  ASSERT_EQ(answer.body["executions"].size(), 100U);
  EXPECT_EQ(answer.body["executions"][0]["id"], "run-103");
  EXPECT_EQ(answer.body["executions"][99]["id"], "run-4");
  EXPECT_EQ(answer.body["executions"][0]["job"], (Json{{"name", "Nightly"}}));
  EXPECT_EQ(answer.body["systemTimezone"], "UTC");
}

void add_lines(ApiFixture& api, const std::string& id, int64_t first, int64_t last) {
  std::vector<LogEntry> lines;
  for (int64_t seq = first; seq <= last; ++seq) {
    lines.push_back({.seq = seq,
                     .at = api.clock.now_ms() + seq,
                     .level = "info",
                     .type = "general",
                     .stage = "Uploading"});
    lines.back().message = "line " + std::to_string(seq) + " to 10.0.0.1:5432";
  }
  api.database->write([&](Session& session) { ExecutionStore{}.append_logs(session, id, lines); });
}

TEST(ExecutionLogs, AreReadFromWhereOneLeftOff) {
  Runs api;
  const std::string id = api.add({.status = "Running"});
  const std::string path = "/api/executions/" + id + "/logs";
  const Answer none = api.get(path);
  ASSERT_EQ(none.status, 200) << none.text;
  EXPECT_EQ(none.body["data"], Json::array());
  EXPECT_EQ(none.body["next"], 0);
  add_lines(api, id, 1, 7);
  const Answer some = api.get(path + "?limit=5");
  ASSERT_EQ(some.body["data"].size(), 5U);
  EXPECT_EQ(some.body["data"][0]["index"], 1);
  EXPECT_EQ(some.body["next"], 5);
  EXPECT_EQ(some.body["status"], "Running");
  const Answer rest = api.get(path + "?after=5");
  ASSERT_EQ(rest.body["data"].size(), 2U);
  EXPECT_EQ(rest.body["data"][1]["message"], "line 7 to 10.0.0.1:5432");
  EXPECT_EQ(rest.body["next"], 7);
  EXPECT_EQ(api.get(path + "?after=7").body["next"], 7);
  EXPECT_EQ(api.get(path + "?after=9223372036854775807").body["data"], Json::array());
  for (const char* bad : {"?after=-1", "?after=x", "?limit=0", "?limit=1001", "?format=xml"})
    EXPECT_EQ(api.get(path + bad).status, 400) << bad;
  EXPECT_EQ(api.get("/api/executions/unknown/logs").status, 404);
  EXPECT_EQ(api.get("/api/executions/unknown/logs?format=text").status, 404);
  EXPECT_EQ(api.get(path, {.key = api.key_with({"jobs:read"})}).status, 403);
}

TEST(ExecutionLogs, ArePlainTextWithoutAddressesWhenAskedFor) {
  Runs api;
  const std::string id = api.add({.status = "Failed"});
  add_lines(api, id, 1, 2500);
  api.database->write([&](Session& session) {
    ExecutionStore{}.append_logs(session, id,
                                 {{.seq = 2501,
                                   .at = 1'767'268'800'000,
                                   .level = "error",
                                   .message = "password=hunter3",
                                   .details = "first\nhost=db1"}});
  });
  const Answer text = api.get("/api/executions/" + id + "/logs?format=text&after=1");
  ASSERT_EQ(text.status, 200);
  EXPECT_EQ(text.headers.get("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(text.headers.get("X-Next-Index"), "2501");
  EXPECT_EQ(std::ranges::count(text.text, '\n'), 2502);
  EXPECT_NE(text.text.find(" info [Uploading] line 2 to [address]\n"), std::string::npos);
  EXPECT_TRUE(text.text.ends_with(
      "2026-01-01T12:00:00.000Z error password=[hidden]\n    first\n    host=[address]\n"))
      << text.text.substr(text.text.size() - 200);
  EXPECT_EQ(std::ranges::count(
                api.get("/api/executions/" + id + "/logs?format=text&limit=900").text, '\n'),
            900);
}

TEST(WaitingForARun, AnswersAtOnceWhenItHasEnded) {
  Runs api;
  const std::string id = api.add({.status = "Success", .ended_at = 5'000});
  const Answer answer = api.get("/api/executions/" + id + "?wait=300");
  EXPECT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.body["data"]["status"], "Success");
  const testing::Sent known{
      .headers = {{"If-None-Match", std::string{answer.headers.get("ETag")}}}};
  EXPECT_EQ(api.get("/api/executions/" + id + "?wait=300", known).status, 304);
  EXPECT_EQ(api.get("/api/executions/unknown?wait=300").status, 404);
  for (const char* bad : {"-1", "301", "x", "1.5"})
    EXPECT_EQ(api.get("/api/executions/" + id + "?wait=" + bad).status, 400) << bad;
}

TEST(WaitingForARun, AnswersWhenItEndsOrTheTimeIsOver) {
  Runs api;
  const std::string id = api.add({});
  const auto begun = std::chrono::steady_clock::now();
  const Answer over = api.get("/api/executions/" + id + "?wait=1");
  EXPECT_EQ(over.status, 200);
  EXPECT_EQ(over.body["data"]["status"], "Pending");
  EXPECT_FALSE(over.headers.get("ETag").empty());
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::seconds{1});
  std::thread other{[&] { api.send(Method::Post, "/api/executions/" + id + "/cancel"); }};
  const Answer ended = api.get("/api/executions/" + id + "?wait=300&includeLogs=true");
  other.join();
  EXPECT_EQ(ended.status, 200);
  EXPECT_EQ(ended.body["data"]["status"], "Cancelled");
  EXPECT_EQ(ended.body["data"]["error"], "cancelled by test");
  EXPECT_EQ(ended.body["data"]["logs"].size(), 1U);
}

TEST(WaitingForARun, SeesWhatAnotherHostWritesToTheStore) {
  Runs api;
  const std::string id = api.add({});
  std::thread other{[&] {
    api.database->write(
        [&](Session& session) { ExecutionStore{}.cancel_pending(session, id, 5, "elsewhere"); });
  }};
  EXPECT_EQ(api.get("/api/executions/" + id + "?wait=300").body["data"]["status"], "Cancelled");
  other.join();
}

TEST(WaitingForARun, StartsItOnceHoweverOftenItIsRepeated) {
  Runs api;
  const std::string path = "/api/jobs/" + api.job + "/run?wait=1";
  const testing::Sent sent{
      .body = "{}", .headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", "k"}}};
  const Answer first = api.send(Method::Post, path, sent);
  ASSERT_EQ(first.status, 200) << first.text;
  EXPECT_EQ(first.body["data"]["status"], "Pending");
  EXPECT_EQ(first.body["data"]["id"], first.body["executionId"]);
  const std::string id = first.body["executionId"].get<std::string>();
  std::thread other{[&] { api.send(Method::Post, "/api/executions/" + id + "/cancel"); }};
  const Answer again = api.send(Method::Post, "/api/jobs/" + api.job + "/run?wait=300", sent);
  other.join();
  EXPECT_EQ(again.body["executionId"], id);
  EXPECT_EQ(again.body["data"]["status"], "Cancelled") << "the repetition waits too";
  EXPECT_EQ(again.headers.get("Idempotent-Replayed"), "true");
  EXPECT_EQ(api.ids("").size(), 1U);
  EXPECT_FALSE(api.send(Method::Post, "/api/jobs/" + api.job + "/run").body.contains("data"));
  EXPECT_EQ(api.send(Method::Post, "/api/jobs/" + api.job + "/run?wait=301").status, 400);
  EXPECT_EQ(api.send(Method::Post, "/api/jobs/unknown/run?wait=3").status, 404);
}

TEST(CancelledRuns, SayWhyInTheirDetail) {
  Runs api;
  const std::string waiting = api.add({});
  const Answer answer = api.send(Method::Post, "/api/executions/" + waiting + "/cancel");
  EXPECT_EQ(answer.status, 200) << answer.text;
  const Json detail = api.get("/api/executions/" + waiting + "?includeLogs=true").body["data"];
  EXPECT_EQ(detail["status"], "Cancelled");
  EXPECT_EQ(detail["stage"], "Cancelled");
  EXPECT_EQ(detail["progress"], 0);
  EXPECT_EQ(detail["error"], "cancelled by test");
  ASSERT_EQ(detail["logs"].size(), 1U);
  EXPECT_FALSE(detail["endedAt"].is_null());
  std::string audited;
  api.database->read([&](Session& session) {
    Query query{session,
                "SELECT action || ' ' || resource || ' ' || details FROM audit_log WHERE details "
                "LIKE '%cancel%'"};
    query.out(audited);
    while (query.next()) {
    }
  });
  EXPECT_TRUE(audited.starts_with("EXECUTE JOB {\"action\":\"cancel\"")) << audited;
  EXPECT_NE(audited.find(waiting), std::string::npos) << audited;
  EXPECT_EQ(api.send(Method::Post, "/api/executions/" + waiting + "/cancel").status, 400)
      << "has ended";
  EXPECT_EQ(api.send(Method::Post, "/api/executions/unknown/cancel").status, 404);
  const std::string partial =
      api.add({.status = "Partial", .ended_at = 9, .error = "disk 2: full"});
  EXPECT_EQ(api.get("/api/executions/" + partial).body["data"]["error"], "disk 2: full");
  const std::string good = api.add({.status = "Success", .ended_at = 9});
  EXPECT_EQ(api.get("/api/executions/" + good).body["data"]["error"], nullptr);
  const std::string gone = api.add({.status = "Running", .host_id = "a process that is gone"});
  EXPECT_EQ(api.send(Method::Post, "/api/executions/" + gone + "/cancel").status, 200);
  EXPECT_EQ(api.get("/api/executions/" + gone).body["data"]["error"],
            "cancelled by test; its process was gone");
}

}  // namespace
}  // namespace dbackup::host
