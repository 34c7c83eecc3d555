#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/stage_table.hpp"
#include "tests/unit/control/control_world.hpp"

namespace dbackup::host {
namespace {

using ::testing::EndsWith;
using ::testing::SizeIs;

class RecorderTest : public ::testing::Test {
 protected:
  RecorderTest() {
    const Job job = world_.add_job();
    world_.save(job);
    run_ = world_.add_run(job);
    world_.database->write([&](Session& s) { ExecutionStore{}.claim_next(s, "host-a", 1, 1); });
  }
  ScriptedWorker script_;
  ControlWorld world_{script_, "host-a"};
  std::string run_;
};

TEST_F(RecorderTest, ContinuesTheLogWhereAnEarlierRecorderLeftIt) {
  { ExecutionRecorder{world_.recorders, run_, "Backup"}.info("one"); }
  { ExecutionRecorder{world_.recorders, run_, "Backup"}.info("two"); }
  const auto log = world_.log_of(run_);
  ASSERT_THAT(log, SizeIs(2));
  EXPECT_EQ(log[0].seq, 1);
  EXPECT_EQ(log[1].seq, 2);
  EXPECT_EQ(log[1].message, "two");
}

TEST_F(RecorderTest, WritesWithoutAFlushSoon) {
  ExecutionRecorder recorder{world_.recorders, run_, "Backup"};
  recorder.info("soon");
  EXPECT_TRUE(ControlWorld::wait_for([&] { return !world_.log_of(run_).empty(); }));
}

TEST_F(RecorderTest, CutsLongLinesBetweenCharacters) {
  ExecutionRecorder recorder{world_.recorders, run_, "Backup"};
  std::string euros = "x";
  while (euros.size() < 6000) euros += "\u20ac";
  recorder.info(euros);
  recorder.flush();
  const std::string stored = world_.log_of(run_).at(0).message;
  EXPECT_LE(stored.size(), 4096U);
  EXPECT_GT(stored.size(), 4080U);
  EXPECT_THAT(stored, EndsWith("\u20ac..."));
}

TEST_F(RecorderTest, StopsAtTwentyThousandLinesAndSaysSo) {
  ExecutionRecorder recorder{world_.recorders, run_, "Backup"};
  for (int i = 0; i < 20'100; ++i) recorder.info("line");
  recorder.flush();
  const auto log = world_.log_of(run_);
  ASSERT_THAT(log, SizeIs(20'000));
  EXPECT_THAT(log.back().message, ::testing::HasSubstr("further lines are left out"));
  EXPECT_EQ(log.back().seq, 20'000);
}

TEST_F(RecorderTest, MapsStagesToProgressThatNeverGoesBack) {
  ExecutionRecorder recorder{world_.recorders, run_, "Backup"};
  recorder.stage("Uploading");
  recorder.progress(50, 100);
  recorder.flush();
  EXPECT_EQ(world_.row(run_).progress, 76);
  EXPECT_EQ(world_.row(run_).stage, "Uploading");
  EXPECT_EQ(world_.row(run_).detail, "50 Bytes / 100 Bytes");
  recorder.stage("Dumping Databases");
  recorder.flush();
  EXPECT_EQ(world_.row(run_).progress, 76);
}

TEST_F(RecorderTest, ClosesAStageWithItsDuration) {
  ExecutionRecorder recorder{world_.recorders, run_, "Backup"};
  recorder.stage("Dumping Databases");
  recorder.flush();
  const auto line = world_.log_of(run_).at(0);
  EXPECT_EQ(line.level, "success");
  EXPECT_EQ(line.stage, "Initializing");
  EXPECT_EQ(line.message, "Initializing completed");
  EXPECT_TRUE(line.duration_ms.has_value());
}

TEST_F(RecorderTest, TakesOddEventsAsTheyCome) {
  ExecutionRecorder recorder{world_.recorders, run_, "Backup"};
  protocol::Event event{.kind = protocol::EventKind::Log};
  event.data = {{"level", "loud"}, {"type", "odd"}, {"message", "kept"}};
  recorder.take(event);
  event.data = {{"message", 7}};
  recorder.take(event);
  event.data = Json::array();
  recorder.take(event);
  recorder.flush();
  const auto log = world_.log_of(run_);
  ASSERT_GE(log.size(), 1U);
  EXPECT_EQ(log[0].level, "info");
  EXPECT_EQ(log[0].type, "general");
}

TEST(StageTable, GivesSizesForPeople) {
  EXPECT_EQ(size_text(0), "0 Bytes");
  EXPECT_EQ(size_text(1024), "1 KB");
  EXPECT_EQ(size_text(1536), "1.5 KB");
  EXPECT_EQ(size_text(1'234'567), "1.18 MB");
}

}  // namespace
}  // namespace dbackup::host
