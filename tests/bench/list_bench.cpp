// How long lists and counts take with few and with many runs, through routes, services and SQLite,
// without sockets. list_bench [RUNS] [REQUESTS]; a hundredth as many jobs, a tenth as many stored
// backups.
#include <soci/soci.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/unit/api/api_fixture.hpp"

namespace {

using dbackup::host::Session;
using dbackup::host::testing::ApiFixture;

constexpr const char* kNumbers =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) ";

struct Filled : ApiFixture {
  explicit Filled(long long runs) {
    documented_checks = false;
    storage = make_storage();
    get("/api/storage/" + storage + "/files");  // listed, so that no listing removes what follows
    const long long now = clock.now_ms();
    const long long jobs = std::max(10LL, runs / 100), backups = runs / 10;
    const long long step = 365LL * 86'400'000 / runs;
    using soci::use;
    database->write([&](Session& session) {
      session.raw()
          << std::string{kNumbers} +
                 "INSERT INTO jobs (id, name, schedule, enabled, databases, compression, "
                 "pg_compression, notification_events, skip_verification, backup_mode, "
                 "full_every_days, verify_by_hash, created_at, updated_at) SELECT 'job-' || i, "
                 "'Job ' || i, '0 3 * * *', 1, '[]', 'ZSTD', '', 'ALWAYS', 0, 'FULL', 7, 0, i, i "
                 "FROM n",
          use(jobs);
      session.raw()
          << std::string{kNumbers} +
                 "INSERT INTO executions SELECT lower(hex(randomblob(8))) || i, 'job-' || (i % "
                 ":jobs + 1), "
                 "'Job', CASE WHEN i % 50 = 0 THEN 'Restore' ELSE 'Backup' END, "
                 "CASE WHEN i % 30 = 0 THEN 'Failed' WHEN i % 70 = 0 THEN 'Partial' ELSE 'Success' "
                 "END, "
                 "100, 'Completed', '', :now - i * :step, :now2 - i * :step2 + 60000, 12345, "
                 "'Job/x.dump', "
                 "'', '{\"sourceName\":\"Orders\",\"names\":[\"orders\"]}', 'Scheduler', '', "
                 "'{\"env\":\"prod\"}', '{}', 'h', 0 FROM n",
          use(runs), use(jobs), use(now), use(step), use(now), use(step);
      session.raw()
          << "INSERT INTO execution_labels SELECT id, 'env', 'prod', started_at FROM executions";
      session.raw()
          << std::string{kNumbers} +
                 "INSERT INTO backups SELECT 'b' || i, :storage, 'Job/x' || i || '.dump', 'e', "
                 "'job-' || "
                 "(i % :jobs + 1), 'Job ' || (i % :jobs2 + 1), '', 5, :now - i, 0, 'signed', "
                 "'{\"version\":1}', :now2 FROM n",
          use(backups), use(storage), use(jobs), use(jobs), use(now), use(now);
      session.raw()
          << std::string{kNumbers} +
                 "INSERT INTO notification_logs SELECT 'n' || i, 'backup_success', 'c', 'chat', "
                 "'generic-webhook', CASE WHEN i % 20 = 0 THEN 'Failed' ELSE 'Success' END, 't', "
                 "'m', '[]', '', "
                 "'', '{}', '', '', :now - i * 1000 FROM n",
          use(runs), use(now);
    });
  }
  /// The 99th of a hundred, in ms.
  double p99(const std::string& path, int requests, double& median) {
    std::vector<double> times;
    for (int i = 0; i < requests; ++i) {
      const auto begun = std::chrono::steady_clock::now();
      const auto answer = get(path);
      times.push_back(
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun)
              .count());
      if (answer.status != 200 && i == 0)
        std::printf("%s: %d %s\n", path.c_str(), answer.status, answer.text.c_str());
    }
    std::ranges::sort(times);
    median = times[times.size() / 2];
    return times[times.size() * 99 / 100];
  }
  std::string storage;
};

}  // namespace

int main(int argc, char** argv) {
  const long long runs = argc > 1 ? std::stoll(argv[1]) : 1'000'000;
  const int requests = argc > 2 ? std::stoi(argv[2]) : 300;
  Filled few{1000}, many{runs};
  // A page from the middle, by cursor.
  const auto middle = [](Filled& api) {
    const std::string half = dbackup::host::format_iso8601(api.clock.now_ms() - 180LL * 86'400'000);
    return "/api/executions?cursor=" + api.get("/api/executions?pageSize=1&to=" + half)
                                           .body.at("nextCursor")
                                           .get<std::string>();
  };
  std::printf("%-58s %8s %8s %9s %9s  %s\n", "", "few p50", "few p99", "many p50", "many p99",
              "p99 ratio");
  const auto measure = [&](const std::string& name, const std::string& few_path,
                           const std::string& many_path) {
    double few_median = 0, many_median = 0;
    const double small = few.p99(few_path, requests, few_median);
    const double large = many.p99(many_path, requests, many_median);
    std::printf("%-58s %8.3f %8.3f %9.3f %9.3f  %.2f\n", name.c_str(), few_median, small,
                many_median, large, large / small);
  };
  measure("/api/executions?cursor=(the middle)", middle(few), middle(many));
  for (const char* path :
       {"/api/executions", "/api/executions?status=Failed",
        "/api/executions?status=Success&type=Backup", "/api/executions?jobId=job-5",
        "/api/executions?label=env=prod", "/api/executions?label=env=prod&status=Failed",
        "/api/history", "/api/jobs?pageSize=50", "/api/notification-logs",
        "/api/notification-logs?status=Failed", "/api/dashboard/stats", "/api/dashboard/latest",
        "/api/dashboard/activity", "/api/dashboard/status-distribution", "/api/dashboard/calendar",
        "/api/dashboard/calendar/years", "/api/dashboard/storage"}) {
    measure(path, path, path);
  }
  for (const char* rest : {"/files?pageSize=50", "/files/latest", "/files/latest?jobId=job-5",
                           "/files/latest?jobName=Job%205"}) {
    measure(std::string{"/api/storage/{id}"} + rest, "/api/storage/" + few.storage + rest,
            "/api/storage/" + many.storage + rest);
  }
  return 0;
}
