#include <gtest/gtest.h>

#include "store/backup_store.hpp"
#include "store/execution_store.hpp"
#include "store/notification_log_store.hpp"
#include "store/statistics_store.hpp"
#include "tests/unit/services/test_database.hpp"
#include "tests/unit/store/statement_watch.hpp"

namespace dbackup::host {
namespace {

using testing::StatementWatch;

struct Statistics : ::testing::Test {
  testing::TempFolder folder;
  std::unique_ptr<Database> database =
      Database::open({.url = "sqlite://" + folder.file("m.db"), .connections = 1});
};

TEST_F(Statistics, CountRunsBySpanAndStatusOutOfAnIndex) {
  database->write([](Session& session) {
    for (int i = 0; i < 3000; ++i) {
      Execution run{.id = "run-" + std::to_string(i), .type = i % 10 == 0 ? "Restore" : "Backup"};
      run.status = std::string{kRunStatuses[static_cast<size_t>(i) % kRunStatuses.size()]};
      run.started_at = 10'000 + i;
      ExecutionStore{}.insert(session, run);
    }
  });
  database->read([](Session& session) {
    const std::vector<TimeSpan> spans{{.begins = 10'000, .ends = 10'060},
                                      {.begins = 0, .ends = 10'000},
                                      {.begins = 10'060, .ends = 10'066}};
    StatementWatch watch{session};
    const auto all = StatisticsStore{}.runs(session, "", spans);
    EXPECT_EQ(watch.faults(), "");
    EXPECT_LT(watch.steps(), 3000) << "only what is counted is looked at";
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].total(), 60);
    EXPECT_EQ(all[0].failed, 10);
    EXPECT_EQ(all[1].total(), 0);
    EXPECT_EQ(all[2].total(), 6);
    EXPECT_EQ(all[2].cancelled, 1);
    EXPECT_EQ(StatisticsStore{}.runs(session, "Backup", spans)[0].total(), 54);
    EXPECT_TRUE(StatisticsStore{}.runs(session, "", {}).empty());
    const auto extent = StatisticsStore{}.extent(session, "Backup");
    EXPECT_EQ(extent->begins, 10'001);
    EXPECT_EQ(extent->ends, 12'999);
    EXPECT_FALSE(StatisticsStore{}.extent(session, "Verification"));
    EXPECT_TRUE(StatisticsStore{}.has_run(session, "Restore", {.begins = 10'000, .ends = 10'001}));
    EXPECT_FALSE(StatisticsStore{}.has_run(session, "Restore", {.begins = 10'001, .ends = 10'010}));
    EXPECT_EQ(watch.faults(), "");
  });
}

TEST_F(Statistics, SumUpBackupsByDestination) {
  database->write([](Session& session) {
    for (int i = 0; i < 30; ++i) {
      StoredBackup row{.id = std::to_string(i),
                       .destination_id = i % 3 == 0 ? "tape" : "disk",
                       .path = std::to_string(i),
                       .size = 5'000'000'000};
      row.seen_at = 100 + i;
      BackupStore{}.upsert(session, row);
    }
  });
  database->read([](Session& session) {
    const auto rows = StatisticsStore{}.stored(session);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].destination_id, "disk");
    EXPECT_EQ(rows[0].count, 20);
    EXPECT_EQ(rows[0].bytes, 100'000'000'000);
    EXPECT_EQ(rows[0].seen_at, 129);
    EXPECT_EQ(StatisticsStore{}.jobs(session).all, 0);
  });
}

TEST_F(Statistics, ShowThePageOfANotificationLogWithoutReadingTheRest) {
  database->write([](Session& session) {
    for (int i = 0; i < 3000; ++i) {
      NotificationLog entry{.id = std::to_string(i),
                            .event_type = "backup_success",
                            .adapter_id = "email",
                            .status = i % 100 == 0 ? "Failed" : "Success"};
      entry.sent_at = i;
      NotificationLogStore{}.insert(session, entry);
    }
  });
  database->read([](Session& session) {
    StatementWatch watch{session};
    for (const NotificationLogFilter& filter :
         {NotificationLogFilter{}, NotificationLogFilter{.status = "Failed"},
          NotificationLogFilter{.adapter_id = "email"},
          NotificationLogFilter{.event_type = "backup_success"},
          NotificationLogFilter{.execution_id = "x"}}) {
      NotificationLogStore{}.list(session, filter, 20, 0);
      NotificationLogStore{}.count(session, filter, 100);
    }
    EXPECT_LT(watch.steps(), 12'000);
    EXPECT_EQ(NotificationLogStore{}.list(session, {.status = "Failed"}, 2, 1)[0].id, "2800");
    EXPECT_EQ(NotificationLogStore{}.count(session, {.status = "Failed"}, 0), 30);
    EXPECT_EQ(NotificationLogStore{}.count(session, {}, 100), 100);
  });
}

}  // namespace
}  // namespace dbackup::host
