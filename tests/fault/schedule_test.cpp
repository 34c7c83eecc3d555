#include <sqlite3.h>

#include "tests/fault/faulty_run.hpp"
#include "tests/support/postgres_server.hpp"

namespace dbackup::testing {
namespace {

// Invariant 3 for what nobody started by hand: a due time makes one run, whoever dies around it.

using Rows = std::vector<std::vector<std::string>>;

/// Rows of the metadata of a server that has been stopped.
Rows rows_of(const DBackupServer& server, const std::string& sql) {
  sqlite3* database = nullptr;
  const std::string file = (server.data_dir() / "private" / "metadata.db").string();
  EXPECT_EQ(sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
  Rows out;
  const auto take = [](void* rows, int count, char** values, char**) {
    std::vector<std::string> row;
    for (int i = 0; i < count; ++i) row.emplace_back(values[i] == nullptr ? "" : values[i]);
    static_cast<Rows*>(rows)->push_back(std::move(row));
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), take, &out, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
  sqlite3_close(database);
  return out;
}

size_t scheduled_runs(const DBackupServer& server) {
  const Json history = server.get("/api/history").json();
  return history.is_object() && history.contains("executions") ? history["executions"].size() : 0;
}

const char* const kFires =
    "SELECT f.fire_at, COUNT(e.id) FROM schedule_fires f LEFT JOIN executions e ON e.id = "
    "f.execution_id "
    "AND e.job_id = f.job_id AND e.trigger_type = 'Scheduler' GROUP BY f.job_id, f.fire_at ORDER "
    "BY f.fire_at";

TEST(KillAroundADueTime, LosesNoneAndRepeatsNone) {
  FaultyRun f;
  const std::string source = f.source({{"size_bytes", 1000}});
  const std::string job =
      f.server.create_job({{"sourceId", source},
                           {"schedule", "* * * * * *"},
                           {"destinations", Json::array({{{"configId", f.destination}}})}});
  ASSERT_TRUE(wait_until([&] { return scheduled_runs(f.server) >= 1; }));
  const int rounds = std::getenv("DBACKUP_TEST_LONG") != nullptr ? 60 : 8;
  for (int round = 0; round < rounds; ++round) {
    // Just before a full second, at it, and just after it.
    const auto offset = std::chrono::milliseconds{-30 + 60 * round / rounds};
    const auto now = std::chrono::system_clock::now();
    const auto until =
        std::chrono::floor<std::chrono::seconds>(now + std::chrono::milliseconds{1050}) + offset;
    while (std::chrono::system_clock::now() < until) std::this_thread::yield();
    f.server.kill_hard();
    f.server.start();
  }
  const size_t before = scheduled_runs(f.server);
  ASSERT_TRUE(wait_until([&] { return scheduled_runs(f.server) > before; })) << f.server.log();
  EXPECT_EQ(f.server.call("PUT", "/api/jobs/" + job, {{"enabled", false}}).status, 200);
  f.server.stop();
  const Rows fires = rows_of(f.server, kFires);
  ASSERT_GE(fires.size(), static_cast<size_t>(rounds));
  for (size_t i = 0; i < fires.size(); ++i) {
    EXPECT_EQ(fires[i][1], "1") << "a due time and its run come together";
    if (i == 0) continue;
    EXPECT_EQ(std::stoll(fires[i][0]) - std::stoll(fires[i - 1][0]), 1000)
        << "every second of them fired";
  }
  const Rows runs =
      rows_of(f.server, "SELECT COUNT(*) FROM executions WHERE trigger_type = 'Scheduler'");
  EXPECT_EQ(runs.at(0).at(0), std::to_string(fires.size())) << "no run without its due time";
}

TEST(TwoHosts, MakeOneRunForADueTime) {
  if (!PostgresServer::installed()) GTEST_SKIP() << "no PostgreSQL server on this machine";
  PostgresServer postgres;
  postgres.sql("postgres", "create database meta");
  postgres.sql("postgres", "create user meta password 'meta' superuser");
  const std::map<std::string, std::string> shared{
      {"DBACKUP_METADATA_URL",
       "postgresql://meta:meta@127.0.0.1:" + std::to_string(postgres.port()) + "/meta"},
      {"DBACKUP_ENCRYPTION_KEY", std::string(64, 'a')}};
  FaultyRun one{shared};
  DBackupServer two{{.environment = shared, .with_test_plugins = true}};
  const std::string job =
      one.server.create_job({{"sourceId", one.source({{"size_bytes", 1000}})},
                             {"schedule", "* * * * * *"},
                             {"destinations", Json::array({{{"configId", one.destination}}})}});
  // The second host learns of it at its next start; then one of them dies.
  two.stop();
  two.start();
  ASSERT_TRUE(wait_until([&] { return scheduled_runs(two) >= 4; })) << two.log();
  one.server.kill_hard();
  const size_t before = scheduled_runs(two);
  ASSERT_TRUE(wait_until([&] { return scheduled_runs(two) >= before + 2; })) << "the other goes on";
  EXPECT_EQ(two.call("PUT", "/api/jobs/" + job, {{"enabled", false}}).status, 200);
  two.stop();
  EXPECT_EQ(
      postgres.sql("meta", "select count(*) from (select fire_at from schedule_fires) f"),
      postgres.sql("meta", "select count(*) from executions where trigger_type = 'Scheduler'"));
  EXPECT_EQ(
      postgres.sql(
          "meta",
          "select count(*) from schedule_fires f where not exists (select 1 from executions e "
          "where e.id = f.execution_id)"),
      "0");
  EXPECT_EQ(
      postgres.sql(
          "meta", "select (max(fire_at) - min(fire_at)) / 1000 + 1 - count(*) from schedule_fires"),
      "0")
      << "no second was left out";
}

}  // namespace
}  // namespace dbackup::testing
