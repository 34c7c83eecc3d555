#include "control/system_tasks.hpp"

#include <gmock/gmock.h>

#include <set>

#include "base/error.hpp"
#include "base/logging.hpp"
#include "control/cron.hpp"
#include "tests/unit/control/schedule_world.hpp"

namespace dbackup::host {
namespace {

struct CountedHost : ScheduleHost {
  CountedHost(ScheduleWorld& world, std::initializer_list<const char*> with)
      : ScheduleHost{*world.database, world.box, world.clock} {
    for (const std::string id : with) {
      tasks.add(id, [this, id](std::stop_token) {
        const std::lock_guard lock{mutex};
        ran.insert(id);
        return std::string{};
      });
    }
  }
  /// A turn, and the end of all work that it began.
  void turn() {
    scheduler.turn();
    for (const auto& row : system_task_table()) {
      ScheduleWorld::wait_for([&] { return !tasks.is_running(std::string{row.id}); });
    }
  }
  size_t count(const std::string& id) {
    const std::lock_guard lock{mutex};
    return ran.count(id);
  }

  std::mutex mutex;
  std::multiset<std::string> ran;
};

constexpr const char* kHealth = "system.health_check";
constexpr const char* kStuck = "system.stuck_execution_check";
constexpr const char* kStats = "system.refresh_storage_stats";

TEST(SystemTasks, StandInATableOfReadableRows) {
  std::set<std::string_view> ids;
  for (const auto& row : system_task_table()) {
    EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    EXPECT_NO_THROW(CronSchedule::parse(row.schedule)) << row.id;
    EXPECT_FALSE(row.label.empty());
    EXPECT_FALSE(row.description.empty());
  }
  EXPECT_EQ(ids.size(), 10U);
}

TEST(SystemTasks, RunOnTheirSchedulesOnceOverAllHosts) {
  ScheduleWorld world;
  CountedHost one{world, {kHealth, kStuck}};
  CountedHost two{world, {kHealth, kStuck}};
  one.turn();
  two.turn();
  for (int minute = 1; minute <= 5; ++minute) {
    world.clock.advance(kMinuteMs);
    one.turn();
    two.turn();
    EXPECT_EQ(one.count(kHealth) + two.count(kHealth), static_cast<size_t>(minute));
  }
  EXPECT_EQ(one.count(kStuck), 1U) << "each host looks after its own runs";
  EXPECT_EQ(two.count(kStuck), 1U);
}

TEST(SystemTasks, RunAtTheStartOfTheProcessWhereWanted) {
  ScheduleWorld world;
  CountedHost host{world, {kHealth, kStats}};
  host.turn();
  EXPECT_EQ(host.count(kStats), 0U) << "the server answers first";
  world.clock.advance(10 * kSecond);
  host.turn();
  host.turn();
  EXPECT_EQ(host.count(kStats), 1U);
  EXPECT_EQ(host.count(kHealth), 0U);
  host.scheduler.refresh();
  host.turn();
  EXPECT_EQ(host.count(kStats), 1U) << "not after every change";
}

TEST(SystemTasks, FollowWhatWasChosenForThem) {
  ScheduleWorld world;
  CountedHost host{world, {kHealth, kStats}};
  const auto& health = require_system_task(kHealth);
  const auto& stats = require_system_task(kStats);
  world.database->write([&](Session& session) {
    host.tasks.change(session, health,
                      {.enabled = false, .run_on_startup = true, .schedule = "* * * * *"});
    host.tasks.change(session, stats,
                      {.enabled = true, .run_on_startup = false, .schedule = "2 2 * * *"});
  });
  host.turn();
  for (int i = 0; i < 4; ++i) {
    world.clock.advance(kMinuteMs);
    host.turn();
  }
  EXPECT_EQ(host.count(kHealth), 0U);
  EXPECT_EQ(host.count(kStats), 1U);
  world.database->read([&](Session& session) {
    EXPECT_FALSE(host.tasks.settings(session, health).last_run_at);
    EXPECT_EQ(host.tasks.settings(session, stats).last_run_at,
              parse_iso8601("2026-03-09T02:02:04.117Z", ""));
    EXPECT_EQ(host.tasks.settings(session, stats).schedule, "2 2 * * *");
  });
}

TEST(SystemTasks, SayWhatTheyLackAndDoNotRunTwiceAtOnce) {
  ScheduleWorld world;
  ScheduleHost host{*world.database, world.box, world.clock};
  std::atomic<bool> go = false;
  host.tasks.add(kHealth, [&](std::stop_token stop) {
    ScheduleWorld::wait_for([&] { return go.load() || stop.stop_requested(); });
    return std::string{"done"};
  });
  EXPECT_TRUE(host.tasks.start_now(kHealth));
  EXPECT_FALSE(host.tasks.start_now(kHealth));
  go = true;
  EXPECT_TRUE(ScheduleWorld::wait_for([&] { return !host.tasks.is_running(kHealth); }));
  EXPECT_TRUE(host.tasks.start_now(kHealth));
  const auto code_of = [&](const std::string& id) {
    try {
      host.tasks.start_now(id);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::Internal;
  };
  EXPECT_EQ(code_of("health-check"), ErrorCode::NotFound);
  EXPECT_EQ(code_of("system.config_backup"), ErrorCode::Unimplemented);
  EXPECT_EQ(code_of(kStats), ErrorCode::Unimplemented) << "nobody has added its work";
  EXPECT_FALSE(host.tasks.can_run(require_system_task(kStats)));
  host.tasks.stop();
  EXPECT_FALSE(host.tasks.start_now(kHealth));
}

TEST(SystemTasks, OutliveWorkThatFails) {
  ScheduleWorld world;
  ScheduleHost host{*world.database, world.box, world.clock};
  host.tasks.add(
      kHealth, [](std::stop_token) -> std::string { throw Error(ErrorCode::Unavailable, "away"); });
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(host.tasks.start_now(kHealth));
    ScheduleWorld::wait_for([&] { return !host.tasks.is_running(kHealth); });
  }
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              ::testing::HasSubstr("system task system.health_check failed: away"));
}

TEST(SystemTasks, DeleteWhatTheSettingsDoNotKeep) {
  ScheduleWorld world;
  ScheduleHost host{*world.database, world.box, world.clock};
  std::atomic<int64_t> swept_at = 0;
  host.tasks.add_sweep({"test rows", [&](Session&, const Settings& settings, TimeMs now) {
                          swept_at = now - settings.integer("notification.log_retention_days");
                          return int64_t{1};
                        }});
  set_up_logging({.level = LogLevel::Info});
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(host.tasks.start_now("system.clean_audit_logs"));
  ScheduleWorld::wait_for([&] { return !host.tasks.is_running("system.clean_audit_logs"); });
  set_up_logging({.level = LogLevel::Warning});
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              ::testing::HasSubstr("1 test rows deleted"));
  EXPECT_EQ(swept_at, world.clock.now_ms() - 90);
}

}  // namespace
}  // namespace dbackup::host
