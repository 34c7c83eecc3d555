#include "control/scheduler.hpp"

#include <gmock/gmock.h>
#include <soci/soci.h>

#include "store/template_store.hpp"
#include "tests/unit/control/schedule_world.hpp"

namespace dbackup::host {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class SchedulerTest : public ::testing::Test {
 protected:
  SchedulerTest() { turn(); }
  /// The next turn of the one host.
  TimeMs turn() { return host_.scheduler.turn(); }
  TimeMs turn_at(const std::string& time) {
    world_.advance_to(time);
    return turn();
  }
  /// A turn that knows of a change.
  TimeMs changed() {
    host_.scheduler.refresh();
    return turn();
  }

  ScheduleWorld world_;
  ScheduleHost host_{*world_.database, world_.box, world_.clock};
};

TEST_F(SchedulerTest, MakesOneWaitingRunForEachDueTime) {
  const std::string job = world_.add_job("*/5 * * * *");
  changed();
  EXPECT_THAT(world_.runs(), IsEmpty());
  turn_at("2026-03-09T02:05:00Z");
  turn();
  ASSERT_THAT(world_.runs(), SizeIs(1));
  const Execution run = world_.runs().at(0);
  EXPECT_EQ(run.job_id, job);
  EXPECT_EQ(run.job_name, "Job 1");
  EXPECT_EQ(run.status, "Pending");
  EXPECT_EQ(run.trigger_type, "Scheduler");
  EXPECT_EQ(run.trigger_label, "Scheduler");
  EXPECT_EQ(run.type, "Backup");
  EXPECT_EQ(host_.kicks, 1);
  turn_at("2026-03-09T02:09:59.999Z");
  EXPECT_THAT(world_.runs(), SizeIs(1));
  turn_at("2026-03-09T02:10:00Z");
  EXPECT_THAT(world_.runs(), SizeIs(2)) << "also while the first still waits";
}

TEST_F(SchedulerTest, SleepsUntilSomethingIsDueAndAMinuteAtMost) {
  turn_at("2026-03-09T02:01:00.500Z");  // past what it does soon after its start
  world_.add_job("0 3 * * *");
  EXPECT_EQ(changed(), world_.clock.now_ms() + kMinuteMs);
  world_.add_job("20 1 2 * * *");
  EXPECT_EQ(changed(), parse_iso8601("2026-03-09T02:01:20Z", ""));
}

TEST_F(SchedulerTest, LearnsWithinAMinuteWhatAnotherHostChanged) {
  world_.add_job("*/5 * * * *");
  turn_at("2026-03-09T02:01:05Z");
  turn_at("2026-03-09T02:05:00Z");
  EXPECT_THAT(world_.runs(), SizeIs(1));
}

TEST_F(SchedulerTest, LeavesDisabledJobsAloneAndDoesNotCatchUpWhenTheyAreEnabled) {
  const std::string job = world_.add_job("*/5 * * * *", /*enabled=*/false);
  changed();
  turn_at("2026-03-09T02:05:00Z");
  EXPECT_THAT(world_.runs(), IsEmpty());
  world_.clock.advance(10 * kSecond);
  world_.change_job(job, [](Job& row) { row.enabled = true; });
  changed();
  EXPECT_THAT(world_.runs(), IsEmpty()) << "it was not enabled when that was due";
  turn_at("2026-03-09T02:10:00Z");
  EXPECT_THAT(world_.runs(), SizeIs(1));
}

TEST_F(SchedulerTest, DoesNotFireWhatAnotherHostHasDisabledMeanwhile) {
  const std::string job = world_.add_job("*/5 * * * *");
  changed();
  world_.advance_to("2026-03-09T02:04:30Z");
  turn();
  world_.change_job(job, [](Job& row) { row.enabled = false; });
  turn_at("2026-03-09T02:05:00Z");
  EXPECT_THAT(world_.runs(), IsEmpty());
}

TEST_F(SchedulerTest, FollowsAPresetAsItChanges) {
  const std::string job = world_.add_job("0 12 * * *");
  world_.change_job(job, [](Job& row) { row.schedule_preset_id = "schedule-hourly"; });
  changed();
  turn_at("2026-03-09T03:00:00Z");
  EXPECT_THAT(world_.runs(), SizeIs(1));
  world_.database->write([&](Session& session) {
    auto row =
        TemplateStore{}.find(session, TemplateKind::SchedulePreset, "schedule-hourly").value();
    row.content["schedule"] = "30 * * * *";
    row.updated_at = world_.clock.now_ms();
    TemplateStore{}.update(session, row);
  });
  changed();
  turn_at("2026-03-09T03:30:00Z");
  EXPECT_THAT(world_.runs(), SizeIs(2));
  turn_at("2026-03-09T04:00:00Z");
  EXPECT_THAT(world_.runs(), SizeIs(2));
}

TEST_F(SchedulerTest, GoesByTheNewTimeZoneAtOnce) {
  world_.add_job("30 8 * * *");
  changed();
  host_.live.update(
      [](Settings& settings) { settings.set_stored("system.timezone", "Asia/Kolkata"); });
  changed();
  turn_at("2026-03-09T03:00:00Z");
  EXPECT_THAT(world_.runs(), SizeIs(1)) << "08:30 in Kolkata";
  turn_at("2026-03-09T08:30:00Z");
  EXPECT_THAT(world_.runs(), SizeIs(1));
}

TEST_F(SchedulerTest, MakesUpForOneMinuteAndTellsWhatItMissed) {
  world_.add_job("* * * * *");
  changed();
  ::testing::internal::CaptureStderr();
  turn_at("2026-03-09T02:06:30Z");
  const std::string log = ::testing::internal::GetCapturedStderr();
  ASSERT_THAT(world_.runs(), SizeIs(1)) << "02:06 is half a minute late";
  EXPECT_THAT(
      log,
      HasSubstr("the job \"Job 1\" missed 5 due time(s), the first at 2026-03-09T02:01:00.000Z"));
  turn();
  EXPECT_THAT(world_.runs(), SizeIs(1));
}

TEST_F(SchedulerTest, SurvivesALongSleepWithAScheduleOfSeconds) {
  world_.add_job("* * * * * *");
  changed();
  ::testing::internal::CaptureStderr();
  turn_at("2027-03-09T02:00:00Z");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("more than 100 due time(s)"));
  EXPECT_THAT(world_.runs(), SizeIs(61)) << "of the last minute, both ends included";
}

TEST_F(SchedulerTest, MakesUpAfterARestartForWhatIsNotOlderThanAMinute) {
  world_.add_job("*/5 * * * *");
  changed();
  world_.advance_to("2026-03-09T02:04:40Z");
  turn();
  world_.advance_to("2026-03-09T02:05:30Z");
  for (int start = 0; start < 3; ++start) {
    ScheduleHost again{*world_.database, world_.box, world_.clock};
    ::testing::internal::CaptureStderr();
    again.scheduler.turn();
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), Not(HasSubstr("missed")));
    EXPECT_THAT(world_.runs(), SizeIs(1)) << "start " << start;
  }
  world_.advance_to("2026-03-09T02:12:00Z");
  ScheduleHost late{*world_.database, world_.box, world_.clock};
  ::testing::internal::CaptureStderr();
  late.scheduler.turn();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("missed 1 due time(s), the first at 2026-03-09T02:10:00.000Z"));
  EXPECT_THAT(world_.runs(), SizeIs(1));
}

TEST_F(SchedulerTest, FiresOnceWhenTwoHostsShareTheDatabase) {
  for (int i = 0; i < 3; ++i) world_.add_job("* * * * *");
  ScheduleHost other{*world_.database, world_.box, world_.clock};
  changed();
  other.scheduler.turn();
  for (int minute = 1; minute <= 10; ++minute) {
    world_.clock.advance(kMinuteMs);
    std::thread first{[&] { host_.scheduler.turn(); }};
    std::thread second{[&] { other.scheduler.turn(); }};
    first.join();
    second.join();
    ASSERT_THAT(world_.runs(), SizeIs(static_cast<size_t>(3 * minute)));
  }
  EXPECT_GE(host_.kicks + other.kicks, 10);
}

TEST_F(SchedulerTest, LeavesNothingHalfDoneWhenTheStoreFailsAndTriesAgain) {
  world_.add_job("*/5 * * * *");
  changed();
  world_.advance_to("2026-03-09T02:04:50Z");
  turn();
  const auto rename = [&](const std::string& from, const std::string& to) {
    world_.database->write(
        [&](Session& session) { session.raw() << "ALTER TABLE " + from + " RENAME TO " + to; });
  };
  rename("schedule_fires", "away");
  world_.advance_to("2026-03-09T02:05:00Z");
  EXPECT_EQ(turn(), world_.clock.now_ms() + kSecond);
  EXPECT_THAT(world_.runs(), IsEmpty()) << "a run without its row would be made twice";
  rename("away", "schedule_fires");
  turn_at("2026-03-09T02:05:20Z");
  EXPECT_THAT(world_.runs(), SizeIs(1));
}

TEST_F(SchedulerTest, DoesNotFireAgainWhenTheClockIsSetBack) {
  world_.add_job("*/5 * * * *");
  changed();
  turn_at("2026-03-09T02:05:00Z");
  world_.clock.advance(-2 * kMinuteMs);
  turn();
  turn_at("2026-03-09T02:05:00Z");
  EXPECT_THAT(world_.runs(), SizeIs(1));
  turn_at("2026-03-09T02:10:00Z");
  EXPECT_THAT(world_.runs(), SizeIs(2)) << "and goes on";
}

TEST_F(SchedulerTest, FollowsTheOthersWhenOneScheduleCannotBeRead) {
  world_.add_job("sometimes");
  world_.add_job("*/5 * * * *");
  changed();
  turn_at("2026-03-09T02:05:00Z");
  ASSERT_THAT(world_.runs(), SizeIs(1));
  EXPECT_EQ(world_.runs().at(0).job_name, "Job 2");
}

TEST_F(SchedulerTest, ForgetsRowsOfAWeekAgo) {
  const std::string job = world_.add_job("0 3 * * *");
  const TimeMs old = world_.clock.now_ms() - 8 * 24 * kHour;
  const TimeMs young = world_.clock.now_ms() - 6 * 24 * kHour;
  world_.database->write([&](Session& session) {
    EXPECT_TRUE(ScheduleStore{}.take(session, job, old, "a"));
    EXPECT_TRUE(ScheduleStore{}.take(session, job, young, "b"));
    EXPECT_FALSE(ScheduleStore{}.take(session, job, young, "c"));
  });
  world_.clock.advance(kHour);
  turn();
  world_.database->read([&](Session& session) {
    EXPECT_FALSE(ScheduleStore{}.is_taken(session, job, old));
    EXPECT_TRUE(ScheduleStore{}.is_taken(session, job, young));
  });
}

TEST_F(SchedulerTest, WakesItselfAndStopsWhenTold) {
  SystemClock clock;
  ScheduleHost real{*world_.database, world_.box, clock};
  real.scheduler.start();
  world_.clock.advance(clock.now_ms() - world_.clock.now_ms());
  world_.add_job("* * * * * *");
  real.scheduler.refresh();
  EXPECT_TRUE(ScheduleWorld::wait_for([&] { return real.kicks >= 2; }));
  real.scheduler.stop();
  const size_t made = world_.runs().size();
  EXPECT_GE(made, 2U);
  std::set<TimeMs> starts;
  for (const auto& run : world_.runs()) starts.insert(run.started_at / 1000);
  EXPECT_EQ(starts.size(), made) << "one a second";
  real.scheduler.stop();
}

}  // namespace
}  // namespace dbackup::host
