#include <gtest/gtest.h>

#include "store/backup_store.hpp"
#include "store/execution_list_store.hpp"
#include "store/execution_store.hpp"
#include "store/notification_log_store.hpp"
#include "store/statistics_store.hpp"
#include "tests/support/postgres_server.hpp"

/// Lists and counts of runs in PostgreSQL, the same as in SQLite.
namespace dbackup::host {
namespace {

using Ids = std::vector<std::string>;

TEST(SharedRuns, AreListedCountedAndFoundByLabelInPostgres) {
  if (!::dbackup::testing::PostgresServer::installed())
    GTEST_SKIP() << "no PostgreSQL server on this machine";
  ::dbackup::testing::PostgresServer server;
  server.sql("postgres", "create database meta");
  server.sql("postgres", "create user meta password 'meta' superuser");
  const auto database = Database::open(
      {.url = "postgresql://meta:meta@127.0.0.1:" + std::to_string(server.port()) + "/meta",
       .connections = 2});
  database->write([](Session& session) {
    for (int i = 1; i <= 9; ++i) {
      Execution run{.id = "run-" + std::to_string(i), .type = i == 4 ? "Restore" : "Backup"};
      run.status = i == 9 ? "Pending" : i % 3 == 0 ? "Failed" : "Success";
      run.started_at = 1'700'000'000'000 + i / 2;  // two at a time
      if (i != 9) run.ended_at = run.started_at + 10;
      run.labels = {{"env", i % 2 == 0 ? "test" : "prod"}, {"n", std::to_string(i)}};
      ExecutionStore{}.insert(session, run);
    }
  });
  database->read([](Session& session) {
    const auto listed = [&](const ExecutionFilter& filter, const ExecutionSlice& slice = {}) {
      Ids out;
      ExecutionListStore{}.list(
          session, filter, slice,
          [&](const Execution& run, const std::string&) { out.push_back(run.id); });
      return out;
    };
    EXPECT_EQ(listed({}, {.limit = 4}), (Ids{"run-9", "run-8", "run-7", "run-6"}));
    EXPECT_EQ(listed({}, {.offset = 4, .limit = 2}), (Ids{"run-5", "run-4"}));
    EXPECT_EQ(listed({}, {.after = ExecutionPosition{1'700'000'000'002, "run-5"}, .limit = 2}),
              (Ids{"run-4", "run-3"}));
    EXPECT_EQ(listed({.status = "Failed"}), (Ids{"run-6", "run-3"}));
    EXPECT_EQ(listed({.type = "Backup", .from = 1'700'000'000'002, .before = 1'700'000'000'003}),
              Ids{"run-5"});
    EXPECT_EQ(listed({.labels = {{"env", "test"}}}), (Ids{"run-8", "run-6", "run-4", "run-2"}));
    EXPECT_EQ(listed({.status = "Success", .labels = {{"env", "test"}, {"n", "8"}}}), Ids{"run-8"});
    EXPECT_EQ(ExecutionListStore{}.count(session, {.labels = {{"env", "prod"}}}, 0), 5);
    EXPECT_EQ(ExecutionListStore{}.count(session, {}, 4), 4);
    Ids ended;
    ExecutionListStore{}.ended_since(
        session, 1'700'000'000'013, 2,
        [&](const Execution& run, const std::string&) { ended.push_back(run.id); });
    EXPECT_EQ(ended, (Ids{"run-7", "run-8"}));
    const auto counts = StatisticsStore{}.runs(
        session, "Backup",
        {{.begins = 1'700'000'000'000, .ends = 1'700'000'000'003}, {.begins = 0, .ends = 1}});
    EXPECT_EQ(counts[0].success, 3);
    EXPECT_EQ(counts[0].failed, 1);
    EXPECT_EQ(counts[1].total(), 0);
    EXPECT_EQ(StatisticsStore{}.extent(session, "Backup")->begins, 1'700'000'000'000);
    EXPECT_EQ(StatisticsStore{}.jobs(session).all, 0);
    EXPECT_FALSE(ExecutionStore{}.last_run(session, "none"));
  });
  database->write([](Session& session) {
    EXPECT_TRUE(ExecutionStore{}.claim_next(session, "host", 5, 1'800'000'000'000));
    EXPECT_EQ(
        ExecutionListStore{}.count(session, {.from = 1'800'000'000'000, .labels = {{"n", "9"}}}, 0),
        1);
    StoredBackup row{.id = "b", .destination_id = "disk", .path = "J/a", .size = 5'000'000'000};
    row.sidecar = {{"labels", {{"build", "7"}}}};
    row.seen_at = 12;
    BackupStore{}.upsert(session, row);
    BackupStore{}.upsert(session, row);
    EXPECT_EQ(BackupStore{}.list(session, "disk", {.labels = {{"build", "7"}}, .limit = 5}).size(),
              1U);
    const auto sizes = StatisticsStore{}.stored(session);
    ASSERT_EQ(sizes.size(), 1U);
    EXPECT_EQ(sizes[0].bytes, 5'000'000'000);
    EXPECT_EQ(sizes[0].seen_at, 12);
    BackupStore{}.remove(session, "disk", "J/a");
    NotificationLogStore{}.insert(session,
                                  {.id = "n", .event_type = "e", .status = "Failed", .sent_at = 5});
    EXPECT_EQ(NotificationLogStore{}.list(session, {.status = "Failed"}, 10, 0).size(), 1U);
    EXPECT_EQ(NotificationLogStore{}.count(session, {.adapter_id = "x"}, 10), 0);
    EXPECT_EQ(NotificationLogStore{}.remove_older_than(session, 6), 1);
  });
}

}  // namespace
}  // namespace dbackup::host
