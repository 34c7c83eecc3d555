#include "control/reconcile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/restore_cleanup.hpp"
#include "control/run_options.hpp"
#include "tests/unit/control/control_world.hpp"

namespace dbackup::host {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kPath = "nightly/x.dump";
constexpr int64_t kSize = 7;

class ReconcileTest : public ::testing::Test {
 protected:
  ReconcileTest() : job_{world_.add_job()} {
    world_.save(job_);
    run_ = world_.add_run(job_);
    world_.database->write([&](Session& s) { ExecutionStore{}.claim_next(s, "dead host", 1, 1); });
    script_.set("cleanup", {{{"result", {{"removed", 1}}}}});
    script_.set("remove", {{{"result", {{"removed", Json::array()}}}}});
    show({});
  }
  Reservation reserve(const std::string& token = "token-1", const std::string& destination = "") {
    Reservation out{.token = token, .execution_id = run_, .path = kPath, .created_at = 1};
    out.destination_id = destination.empty() ? world_.destination : destination;
    world_.database->write([&](Session& s) { ReservationStore{}.insert(s, out); });
    return out;
  }
  /// What the destination lists: a file with this sidecar; nullopt: nothing.
  void show(const std::optional<std::string>& sidecar) {
    Json steps = Json::array();
    if (sidecar) {
      Json item{{"path", kPath}, {"size", kSize}, {"modifiedMs", 5}};
      if (!sidecar->empty()) item["sidecar"] = *sidecar;
      steps.push_back({{"event", "item"}, {"data", {{"path", "nightly/neighbour.dump"}, {"size", 1}}}});
      steps.push_back({{"event", "item"}, {"data", item}});
    }
    steps.push_back({{"result", Json::object()}});
    script_.set("list", steps);
  }
  std::string altered(const std::string& sidecar) const {
    Json json = Json::parse(sidecar);
    json["jobName"] = "another";
    return json.dump();
  }

  ScriptedWorker script_;
  ControlWorld world_{script_, "host-a"};
  Job job_;
  std::string run_;
};

TEST_F(ReconcileTest, JudgesWhatLiesAtAReservedPath) {
  struct Case {
    const char* what;
    std::optional<std::string> sidecar;
    bool is_foreign;
    ReservationFate fate;
    bool removes, adopts;
  };
  const std::string own = world_.sidecar(run_, kSize);
  const std::vector<Case> cases{
      {"nothing", std::nullopt, false, ReservationFate::Absent, false, false},
      {"its own whole backup", own, false, ReservationFate::Adopted, false, true},
      {"a file without sidecar", "", false, ReservationFate::Removed, true, false},
      {"a file without sidecar, known to be another's", "", true, ReservationFate::Foreign, false, false},
      {"a backup of another run", world_.sidecar("another", kSize), false, ReservationFate::Foreign, false, false},
      {"its sidecar at a file of another size", world_.sidecar(run_, kSize + 1), false, ReservationFate::Foreign, false, false},
      {"an altered sidecar", altered(own), false, ReservationFate::Foreign, false, false},
      {"an unsigned sidecar", R"({"executionId":")" + run_ + R"(","size":7})", false, ReservationFate::Foreign, false, false},
      {"a sidecar that is no JSON", "?", false, ReservationFate::Foreign, false, false},
  };
  size_t removals = 0, cleanups = 0;
  for (const auto& each : cases) {
    SCOPED_TRACE(each.what);
    show(each.sidecar);
    const Reservation reservation = reserve();
    EXPECT_EQ(world_.reconciler.settle(reservation, each.is_foreign), each.fate);
    removals += each.removes ? 1 : 0;
    EXPECT_THAT(script_.requests("remove"), SizeIs(removals));
    EXPECT_THAT(script_.requests("cleanup"), SizeIs(++cleanups));
    EXPECT_THAT(world_.reservations(run_), IsEmpty());
    EXPECT_THAT(world_.backups(), SizeIs(each.adopts ? 1 : 0));
    world_.database->write([&](Session& s) { BackupStore{}.remove(s, world_.destination, kPath); });
  }
  for (const Json& request : script_.requests("remove")) {
    EXPECT_EQ(request.at("body").at("paths"), Json::array({kPath}));
  }
}

TEST_F(ReconcileTest, KeepsTheReservationOfADestinationThatDoesNotAnswer) {
  for (const char* op : {"cleanup", "list", "remove"}) {
    SCOPED_TRACE(op);
    script_.set("cleanup", {{{"result", {{"removed", 1}}}}});
    script_.set("remove", {{{"result", Json::object()}}});
    show("");
    script_.set(op, {{{"error", {{"code", 5}, {"message", "the folder is not mounted"}}}}});
    const Reservation reservation = reserve();
    EXPECT_EQ(world_.reconciler.settle(reservation), ReservationFate::Unreachable);
    EXPECT_THAT(world_.reservations(run_), SizeIs(1));
    world_.database->write([&](Session& s) { ReservationStore{}.remove(s, reservation.token); });
  }
}

TEST_F(ReconcileTest, RemovesNothingWhoseSidecarOrFolderCannotBeRead) {
  const std::vector<Json> unreadable{
      {{"path", kPath}, {"size", kSize}, {"modifiedMs", 5}, {"sidecarUnreadable", true}},
      {{"path", "nightly"}, {"unreadable", true}}};
  for (const Json& item : unreadable) {
    script_.set("list", {{{"event", "item"}, {"data", item}}, {{"result", Json::object()}}});
    const Reservation reservation = reserve();
    EXPECT_EQ(world_.reconciler.settle(reservation), ReservationFate::Unreachable) << item;
    EXPECT_THAT(world_.reservations(run_), SizeIs(1));
    world_.database->write([&](Session& s) { ReservationStore{}.remove(s, reservation.token); });
  }
  EXPECT_THAT(script_.requests("remove"), IsEmpty());
}

TEST_F(ReconcileTest, DropsTheReservationOfADeletedDestination) {
  const Reservation reservation = reserve("token-1", "deleted");
  EXPECT_EQ(world_.reconciler.settle(reservation), ReservationFate::Absent);
  EXPECT_THAT(world_.reservations(run_), IsEmpty());
}

TEST_F(ReconcileTest, EndsADeadRunAsSuccessOnlyWhenEveryDestinationHasIt) {
  show(world_.sidecar(run_, kSize));
  reserve();
  world_.reconciler.end_dead_runs();
  EXPECT_EQ(world_.row(run_).status, "Success");
  EXPECT_EQ(world_.row(run_).error, "");
  EXPECT_EQ(world_.row(run_).size, kSize);
  EXPECT_EQ(world_.row(run_).path, kPath);
  EXPECT_THAT(world_.reservations(run_), IsEmpty());
}

TEST_F(ReconcileTest, EndsADeadRunAsPartialWhenOneDestinationHasIt) {
  show(world_.sidecar(run_, kSize));
  reserve();
  reserve("token-2", "deleted");
  world_.reconciler.end_dead_runs();
  EXPECT_EQ(world_.row(run_).status, "Partial");
  EXPECT_EQ(world_.row(run_).error, "the server was stopped while this run was under way");
}

TEST_F(ReconcileTest, EndsADeadRunAsFailedWhenItsDestinationDoesNotAnswerAndLooksAgain) {
  script_.set("list", {{{"error", {{"code", 14}, {"message", "away"}}}}});
  reserve();
  world_.reconciler.end_dead_runs();
  EXPECT_EQ(world_.row(run_).status, "Failed");
  EXPECT_THAT(world_.reservations(run_), SizeIs(1));
  EXPECT_EQ(world_.reconciler.sweep(), 1U);
  show(world_.sidecar(run_, kSize));
  EXPECT_EQ(world_.reconciler.sweep("another destination"), 0U);
  EXPECT_THAT(world_.reservations(run_), SizeIs(1));
  EXPECT_EQ(world_.reconciler.sweep(), 0U);
  EXPECT_THAT(world_.reservations(run_), IsEmpty());
  EXPECT_THAT(world_.backups(), SizeIs(1));
  EXPECT_EQ(world_.row(run_).status, "Failed");
  // Who was told "Failed" finds no other end now, but finds where the backup is after all.
  EXPECT_EQ(world_.row(run_).metadata["recovered"][0]["path"], kPath);
  std::vector<LogEntry> lines;
  world_.database->read([&](Session& s) { lines = ExecutionStore{}.logs(s, run_); });
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.back().stage, "Recovery");
  EXPECT_EQ(lines.back().level, "success");
}

TEST_F(ReconcileTest, CleansUpAfterARestoreAgainUntilItsTargetAnswers) {
  const std::string target = world_.add_adapter("database", "postgres", "orders");
  Execution restore{.id = new_uuid(), .type = "Restore", .started_at = 1};
  restore.status = "Failed";
  restore.ended_at = 2;
  restore.options = to_json(RestoreOptions{.destination_id = world_.destination,
                                           .path = kPath,
                                           .target_source_id = target,
                                           .database = "orders"});
  world_.database->write([&](Session& s) { ExecutionStore{}.insert(s, restore); });
  const auto asked = [&] { return script_.requests("cleanup_restore").size(); };
  script_.set("cleanup_restore", {{{"error", {{"code", 14}, {"message", "connection refused"}}}}});
  EXPECT_NE(cleanup_restore(world_.context, world_.workers, world_.resolver, restore,
                            std::chrono::seconds{5}),
            "");
  world_.reconciler.finish_restores();
  EXPECT_EQ(asked(), 2U);
  script_.set("cleanup_restore", {{{"result", Json::object()}}});
  world_.reconciler.finish_restores();
  EXPECT_EQ(asked(), 3U);
  EXPECT_EQ(script_.requests("cleanup_restore").back().at("body").at("token"), restore.id);
  std::vector<LogEntry> lines;
  world_.database->read([&](Session& s) { lines = ExecutionStore{}.logs(s, restore.id); });
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.back().level, "success");
  world_.reconciler.finish_restores();
  EXPECT_EQ(asked(), 3U) << "once is enough";
}

TEST_F(ReconcileTest, LeavesTheReservationsOfRunsUnderWayAlone) {
  reserve();
  EXPECT_EQ(world_.reconciler.sweep(), 0U);
  EXPECT_THAT(world_.reservations(run_), SizeIs(1));
  EXPECT_THAT(script_.requests("cleanup"), IsEmpty());
}

}  // namespace
}  // namespace dbackup::host
