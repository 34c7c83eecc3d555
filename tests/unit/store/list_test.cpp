#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "store/backup_store.hpp"
#include "store/execution_list_store.hpp"
#include "store/execution_store.hpp"
#include "store/job_store.hpp"
#include "tests/unit/services/test_database.hpp"
#include "tests/unit/store/statement_watch.hpp"

/// Lists over many rows: what they show, and that they walk an index for it.
namespace dbackup::host {
namespace {

using testing::StatementWatch;

constexpr int kRuns = 4000;
constexpr int kJobs = 20;
const char* const kStatuses[] = {"Success", "Success", "Success", "Partial", "Failed", "Cancelled"};

struct ManyRuns : ::testing::Test {
  static void SetUpTestSuite() {
    world = std::make_unique<World>();
    std::mt19937_64 random{7};
    world->database->write([&](Session& session) {
      for (int i = 0; i < kJobs; ++i) {
        const std::string id = "job-" + std::to_string(i);
        JobStore{}.insert(session,
                          {.id = id, .name = id, .schedule = "0 3 * * *", .created_at = i});
      }
      for (int i = 0; i < kRuns; ++i) {
        Execution run{.id =
                          "run-" + std::to_string(random() % 1'000'000) + "-" + std::to_string(i)};
        run.type = i % 50 == 0 ? "Restore" : "Backup";
        run.status = kStatuses[random() % std::size(kStatuses)];
        if (i % 1000 == 1) run.status = "Pending";
        if (run.type == "Backup") run.job_id = "job-" + std::to_string(random() % kJobs);
        run.started_at =
            1'000'000 + static_cast<TimeMs>(random() % 2000) * 10;  // some at the same time
        if (run.status != "Pending") run.ended_at = run.started_at + 5;
        run.labels = {{"env", i % 3 == 0 ? "test" : "prod"}};
        if (i % 500 == 0) run.labels["build"] = "b" + std::to_string(i / 500);
        ExecutionStore{}.insert(session, run);
        world->all.push_back(run);
      }
    });
    std::ranges::sort(world->all, [](const Execution& a, const Execution& b) {
      return std::pair{a.started_at, a.id} > std::pair{b.started_at, b.id};
    });
  }
  static void TearDownTestSuite() { world.reset(); }

  struct World {
    testing::TempFolder folder;
    std::unique_ptr<Database> database =
        Database::open({.url = "sqlite://" + folder.file("metadata.db"), .connections = 1});
    std::vector<Execution> all;  ///< newest first
  };
  static inline std::unique_ptr<World> world;

  static bool fits(const Execution& run, const ExecutionFilter& filter) {
    const auto has = [&](const auto& label) {
      return run.labels.value(label.first, "") == label.second;
    };
    return (filter.job_id.empty() || run.job_id == filter.job_id) &&
           (filter.status.empty() || run.status == filter.status) &&
           (filter.type.empty() || run.type == filter.type) &&
           (!filter.from || run.started_at >= *filter.from) &&
           (!filter.before || run.started_at < *filter.before) &&
           std::ranges::all_of(filter.labels, has);
  }
  static std::vector<std::string> expected(const ExecutionFilter& filter) {
    std::vector<std::string> out;
    for (const Execution& run : world->all) {
      if (fits(run, filter)) out.push_back(run.id);
    }
    return out;
  }
  static std::vector<std::string> listed(Session& session, const ExecutionFilter& filter,
                                         const ExecutionSlice& slice,
                                         ExecutionPosition* last = nullptr) {
    std::vector<std::string> out;
    ExecutionListStore{}.list(session, filter, slice,
                              [&](const Execution& run, const std::string&) {
                                out.push_back(run.id);
                                if (last != nullptr)
                                  *last = {.started_at = run.started_at, .id = run.id};
                              });
    return out;
  }
};

/// Every combination of conditions that the API admits, common and rare.
std::vector<ExecutionFilter> filters() {
  std::vector<ExecutionFilter> out;
  for (const char* job : {"", "job-3", "unknown"}) {
    for (const char* status : {"", "Success", "Pending"}) {
      for (const char* type : {"", "Backup", "Restore"}) {
        for (int labels = 0; labels < 4; ++labels) {
          ExecutionFilter filter{.job_id = job, .status = status, .type = type};
          if (labels == 1) filter.labels = {{"env", "prod"}};
          if (labels == 2) filter.labels = {{"build", "b3"}};
          if (labels == 3) filter.labels = {{"env", "test"}, {"build", "b3"}};
          out.push_back(filter);
          filter.from = 1'005'000;
          filter.before = 1'012'000;
          out.push_back(filter);
        }
      }
    }
  }
  return out;
}

TEST_F(ManyRuns, AreListedAsTheirConditionsSayFromAnyPlace) {
  world->database->read([](Session& session) {
    for (const ExecutionFilter& filter : filters()) {
      const auto all = expected(filter);
      EXPECT_EQ(listed(session, filter, {.limit = kRuns}), all);
      EXPECT_EQ(ExecutionListStore{}.count(session, filter, 0), static_cast<int64_t>(all.size()));
      EXPECT_EQ(ExecutionListStore{}.count(session, filter, 10),
                std::min<int64_t>(10, static_cast<int64_t>(all.size())));
      for (const size_t offset : {size_t{1}, size_t{7}, all.size()}) {
        const auto from = std::min(offset, all.size());
        const auto to = std::min(all.size(), from + 5);
        const std::vector<std::string> part{all.begin() + static_cast<ptrdiff_t>(from),
                                            all.begin() + static_cast<ptrdiff_t>(to)};
        EXPECT_EQ(listed(session, filter, {.offset = static_cast<int64_t>(offset), .limit = 5}),
                  part);
      }
    }
  });
}

TEST_F(ManyRuns, AreWalkedByCursorWithoutGapOrRepetition) {
  world->database->read([](Session& session) {
    ExecutionSlice slice{.limit = 37};
    std::vector<std::string> all;
    for (;;) {
      ExecutionPosition last;
      const auto page = listed(session, {}, slice, &last);
      if (page.empty()) break;
      all.insert(all.end(), page.begin(), page.end());
      slice.after = last;
    }
    EXPECT_EQ(all, expected({}));
  });
}

TEST_F(ManyRuns, NeverMakeAListReadTheTableOrSort) {
  world->database->read([](Session& session) {
    for (const ExecutionFilter& filter : filters()) {
      StatementWatch watch{session};
      listed(session, filter, {.limit = 20});
      listed(session, filter, {.after = ExecutionPosition{1'010'000, "run-5"}, .limit = 20});
      listed(session, filter, {.offset = 100, .limit = 20});
      ExecutionListStore{}.count(session, filter, 100);
      // A walk through an index in the order of the list counts as no scan when it ends early.
      for (const auto& one : watch.seen()) EXPECT_EQ(one.sorts, 0) << one.sql;
    }
  });
}

TEST_F(ManyRuns, CostWhatIsShownNotWhatThereIs) {
  world->database->read([](Session& session) {
    const auto cost = [&](const ExecutionFilter& filter) {
      StatementWatch watch{session};
      listed(session, filter, {.limit = 20});
      listed(session, filter, {.after = ExecutionPosition{1'001'000, "run-5"}, .limit = 20});
      ExecutionListStore{}.count(session, filter, 100);
      return watch.steps();
    };
    const ExecutionFilter cases[] = {
        {},
        {.job_id = "job-3"},
        {.status = "Success"},
        {.status = "Pending"},
        {.type = "Restore"},
        {.job_id = "job-3", .status = "Pending"},
        {.status = "Success", .type = "Restore"},
        {.labels = {{"env", "prod"}}},
        {.labels = {{"build", "b3"}}},
        {.status = "Success", .labels = {{"build", "b3"}}},
        {.from = 1'005'000, .before = 1'006'000},
    };
    for (const auto& filter : cases) {
      EXPECT_LT(cost(filter), 6000)
          << filter.job_id << filter.status << filter.type << filter.labels.size();
    }
    StatementWatch watch{session};
    ExecutionStore{}.newest(session, 100);
    for (int i = 0; i < kJobs; ++i) ExecutionStore{}.last_run(session, "job-" + std::to_string(i));
    ExecutionStore{}.last_runs(session);
    EXPECT_LT(watch.steps(), 10'000);
    for (const auto& one : watch.seen()) EXPECT_EQ(one.sorts, 0) << one.sql;
  });
}

TEST_F(ManyRuns, KeepTheirLabelsFindableWhenTheyStart) {
  world->database->write([](Session& session) {
    const auto claimed = ExecutionStore{}.claim_next(session, "host", 10, 9'000'000);
    ASSERT_TRUE(claimed);
    const ExecutionFilter filter{.from = 9'000'000,
                                 .labels = {{"env", claimed->labels["env"].get<std::string>()}}};
    EXPECT_EQ(listed(session, filter, {}), std::vector{claimed->id});
    session.raw() << "ROLLBACK";
    session.raw() << "BEGIN IMMEDIATE";
  });
}

TEST(ManyBackups, AreListedPagedAndFoundByJobAndLabelFromAnIndex) {
  testing::TempFolder folder;
  const auto database =
      Database::open({.url = "sqlite://" + folder.file("m.db"), .connections = 1});
  database->write([](Session& session) {
    for (int i = 0; i < 2000; ++i) {
      const std::string number = std::to_string(i);
      StoredBackup row{.id = number, .destination_id = "disk", .path = "J/" + number};
      row.job_id = "job-" + std::to_string(i % 10);
      row.job_name = "Job " + std::to_string(i % 10);
      row.modified_at = 1000 + i / 2;
      row.seen_at = 5000 + i;
      row.sidecar = {{"labels", {{"build", std::to_string(i % 500)}}}};
      BackupStore{}.upsert(session, row);
    }
  });
  const auto paths = [](const std::vector<StoredBackup>& rows) {
    std::vector<std::string> out;
    for (const auto& row : rows) out.push_back(row.path);
    return out;
  };
  database->read([&](Session& session) {
    StatementWatch watch{session};
    EXPECT_EQ(paths(BackupStore{}.list(session, "disk", {.limit = 2})),
              (std::vector<std::string>{"J/1999", "J/1998"}));
    EXPECT_EQ(
        paths(BackupStore{}.list(session, "disk", {.job_name = "Job 3", .limit = 2, .offset = 1})),
        (std::vector<std::string>{"J/1983", "J/1973"}));
    EXPECT_EQ(BackupStore{}.latest(session, "disk", "job-7", "")->path, "J/1997");
    EXPECT_FALSE(BackupStore{}.latest(session, "disk", "job-7", "Job 3"));
    EXPECT_EQ(BackupStore{}.last_seen(session, "disk"), 6999);
    EXPECT_TRUE(BackupStore{}.has_any(session, "disk"));
    EXPECT_FALSE(BackupStore{}.has_any(session, "tape"));
    EXPECT_EQ(watch.faults(), "");
    EXPECT_LT(watch.steps(), 12'000);
    EXPECT_EQ(paths(BackupStore{}.list(session, "disk", {.labels = {{"build", "7"}}})),
              (std::vector<std::string>{"J/1507", "J/1007", "J/507", "J/7"}));
  });
  database->write([&](Session& session) {
    StoredBackup row{.id = "x", .destination_id = "disk", .path = "J/7", .modified_at = 1003};
    row.sidecar = {{"labels", {{"build", "new"}}}};
    BackupStore{}.upsert(session, row);
    EXPECT_EQ(BackupStore{}.list(session, "disk", {.labels = {{"build", "7"}}}).size(), 3U);
    EXPECT_EQ(paths(BackupStore{}.list(session, "disk", {.labels = {{"build", "new"}}})),
              std::vector<std::string>{"J/7"});
    BackupStore{}.remove(session, "disk", "J/7");
    EXPECT_TRUE(BackupStore{}.list(session, "disk", {.labels = {{"build", "new"}}}).empty());
  });
}

}  // namespace
}  // namespace dbackup::host
