#include "control/queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "store/notification_log_store.hpp"
#include "control/notification_settings.hpp"
#include "store/template_store.hpp"
#include "tests/unit/control/control_world.hpp"

namespace dbackup::host {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kPath = "nightly/x.dump.zst";

class QueueTest : public ::testing::Test {
 protected:
  QueueTest() : job_{world_.add_job()} {
    world_.save(job_);
    script_.set("cleanup", {{{"result", {{"removed", 0}}}}});
    script_.set("list", {{{"result", Json::object()}}});
    succeed();
  }
  void succeed() {
    script_.set("backup", {{{"event", "stage"}, {"data", {{"name", "Dumping Databases"}}}},
                           {{"reserve", kPath}},
                           {{"result", world_.result(kPath)}}});
  }
  ScriptedWorker script_;
  ControlWorld world_{script_, "host-a"};
  Job job_;
};

TEST_F(QueueTest, RecordsASuccessWithItsBackup) {
  const std::string id = world_.add_run(job_);
  world_.queue.start();
  const Execution run = world_.wait_ended(id);
  EXPECT_EQ(run.status, "Success");
  EXPECT_EQ(run.error, "");
  EXPECT_EQ(run.progress, 100);
  EXPECT_EQ(run.stage, "Completed");
  EXPECT_EQ(run.path, kPath);
  EXPECT_EQ(run.size, 3);
  EXPECT_EQ(run.metadata.at("engineVersion"), "15.4");
  EXPECT_EQ(run.metadata.at("destinations").at(0).at("status"), "success");
  EXPECT_EQ(run.metadata.at("names"), Json::array({"orders"}));
  EXPECT_THAT(world_.backups(), SizeIs(1));
  EXPECT_THAT(world_.reservations(id), IsEmpty());
}

TEST_F(QueueTest, GivesTheWorkerWhatTheJobSays) {
  const std::string id = world_.add_run(job_);
  world_.queue.start();
  world_.wait_ended(id);
  const Json body = script_.requests("backup").at(0).at("body");
  EXPECT_EQ(body.at("execution_id"), id);
  EXPECT_EQ(body.at("database"), "orders");
  EXPECT_EQ(body.at("extension"), "dump");
  EXPECT_EQ(body.at("compression"), "ZSTD");
  EXPECT_EQ(body.at("source").at("config").at("secret"), "s3cret");
  EXPECT_THAT(body.at("path_stem").get<std::string>(), ::testing::MatchesRegex("nightly/nightly_....-..-.._..-..-.."));
  EXPECT_EQ(body.at("mac_key").get<std::string>().size(), 64U);
  EXPECT_EQ(body.at("sidecar").at("macKeyId"), world_.keys.key_id());
  EXPECT_EQ(body.at("sidecar").at("executionId"), id);
}

TEST_F(QueueTest, RunsInTheOrderOfArrivalAndOneAtATime) {
  script_.set("backup", {{{"await_file", script_.path("go")}}, {{"reserve", kPath}}, {{"result", world_.result(kPath)}}});
  const std::string second = world_.add_run(job_, 2000), first = world_.add_run(job_, 1000);
  world_.queue.start();
  world_.wait_for([&] { return script_.requests("backup").size() == 1; });
  EXPECT_EQ(world_.row(first).status, "Running");
  EXPECT_EQ(world_.row(second).status, "Pending");
  script_.make_file("go");
  world_.wait_ended(second);
  const auto requests = script_.requests("backup");
  EXPECT_EQ(requests.at(0).at("body").at("execution_id"), first);
  EXPECT_EQ(requests.at(1).at("body").at("execution_id"), second);
}

TEST_F(QueueTest, NeverRunsARowTwiceWhenTwoHostsShareTheStore) {
  ControlWorld other{script_, "host-b"};
  for (auto* world : {&world_, &other}) {
    world->live.update([](Settings& s) { s.set_stored("maxConcurrentJobs", "10"); });
  }
  script_.set("backup", {{{"error", {{"code", 14}, {"message", "no"}}}}});
  // Each ends what a dead process left as its first deed: after that it looks only at what it claims.
  for (ControlWorld* world : {&world_, &other}) {
    const std::string dead = world_.add_run(job_);
    world_.database->write([&](Session& s) { ExecutionStore{}.claim_next(s, "dead host", 10, 1); });
    world->queue.start();
    world_.wait_ended(dead);
  }
  std::vector<std::string> ids;
  for (int i = 0; i < 12; ++i) ids.push_back(world_.add_run(job_, i));
  world_.queue.kick();
  other.queue.kick();
  for (const auto& id : ids) world_.wait_ended(id);
  world_.queue.stop(10s);
  other.queue.stop(10s);
  std::multiset<std::string> ran;
  for (const Json& request : script_.requests("backup")) ran.insert(request.at("body").at("execution_id").get<std::string>());
  EXPECT_EQ(ran.size(), ids.size());
  for (const auto& id : ids) EXPECT_EQ(ran.count(id), 1U);
}

TEST_F(QueueTest, CancelsAWaitingRunAtOnce) {
  const std::string id = world_.add_run(job_);
  EXPECT_EQ(world_.queue.cancel(id, "admin"), CancelOutcome::Cancelled);
  EXPECT_EQ(world_.row(id).status, "Cancelled");
  EXPECT_EQ(world_.row(id).error, "cancelled by admin");
  EXPECT_EQ(world_.queue.cancel(id), CancelOutcome::AlreadyEnded);
  EXPECT_EQ(world_.queue.cancel("nobody"), CancelOutcome::Unknown);
}

TEST_F(QueueTest, CancelsAHangingRunWithinASecondAndTidiesUp) {
  script_.set("backup", {{{"reserve", kPath}}, {{"hang", true}}});
  const std::string id = world_.add_run(job_);
  world_.queue.start();
  world_.wait_for([&] { return !world_.reservations(id).empty(); });
  const std::string token = world_.reservations(id).at(0).token;
  const auto asked = std::chrono::steady_clock::now();
  EXPECT_EQ(world_.queue.cancel(id, "admin"), CancelOutcome::Signalled);
  const Execution run = world_.wait_ended(id);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, 1s);
  EXPECT_EQ(run.status, "Cancelled");
  EXPECT_EQ(run.error, "cancelled by admin");
  world_.wait_for([&] { return world_.reservations(id).empty(); });
  EXPECT_EQ(script_.requests("cleanup").at(0).at("body").at("token"), token);
}

TEST_F(QueueTest, FailsWithTheReasonOfEachDestination) {
  script_.set("backup", {{{"reserve", kPath}}, {{"result", world_.result(kPath, false)}}});
  const std::string id = world_.add_run(job_);
  world_.queue.start();
  const Execution run = world_.wait_ended(id);
  EXPECT_EQ(run.status, "Failed");
  EXPECT_EQ(run.error, "nightly disk: the disk is gone");
  EXPECT_LT(run.progress, 100);
  EXPECT_THAT(world_.backups(), IsEmpty());
  world_.wait_for([&] { return world_.reservations(id).empty(); });
}

TEST_F(QueueTest, DoesNotBelieveASuccessThatWasNeverReserved) {
  script_.set("backup", {{{"result", world_.result(kPath)}}});
  const std::string id = world_.add_run(job_);
  world_.queue.start();
  EXPECT_EQ(world_.wait_ended(id).status, "Failed");
  EXPECT_THAT(world_.backups(), IsEmpty());
}

TEST_F(QueueTest, RefusesAPathThatAnotherRunHasReserved) {
  // Held by a run that still waits: nobody may tidy that up.
  const std::string other = world_.add_run(job_, 9'000'000'000'000);
  world_.database->write([&](Session& s) {
    ReservationStore{}.insert(
        s, {.token = "t", .execution_id = other, .destination_id = world_.destination, .path = kPath});
  });
  script_.set("backup", {{{"reserve", kPath}}, {{"hang", true}}});
  const std::string id = world_.add_run(job_);
  world_.queue.start();
  world_.wait_for([&] { return !world_.reservations(id).empty(); });
  EXPECT_EQ(world_.reservations(id).at(0).path, std::string(kPath) + "-2");
}

TEST_F(QueueTest, AdoptsTheBackupOfAWorkerThatDiedAfterItsLastStep) {
  script_.set("backup", {{{"reserve", kPath}}, {{"await_file", script_.path("go")}}, {{"signal", SIGKILL}}});
  const std::string id = world_.add_run(job_);
  script_.set("list", {{{"event", "item"}, {"data", {{"path", kPath}, {"size", 3}, {"modifiedMs", 5}, {"sidecar", world_.sidecar(id, 3)}}}},
                       {{"result", Json::object()}}});
  world_.queue.start();
  world_.wait_for([&] { return !world_.reservations(id).empty(); });
  script_.make_file("go");
  EXPECT_EQ(world_.wait_ended(id).status, "Success");
  ASSERT_THAT(world_.backups(), SizeIs(1));
  EXPECT_EQ(world_.backups().at(0).signature, "signed");
}

TEST_F(QueueTest, EndsJobsOfAKindThatIsNotAvailableYet) {
  Job grown = world_.add_job("grown");
  grown.backup_mode = "INCREMENTAL";
  world_.save(grown);
  const std::string id = world_.add_run(grown);
  world_.queue.start();
  EXPECT_EQ(world_.wait_ended(id).error, "an incremental backup is not available yet");
  EXPECT_THAT(script_.requests("backup"), IsEmpty());
}

TEST_F(QueueTest, TakesSeveralDatabasesAsOneArchiveNamedOrAllOfTheServer) {
  Job several = world_.add_job("several");
  several.databases = {"b", "a"};
  world_.save(several);
  Job all = world_.add_job("all");
  all.databases.clear();
  world_.save(all);
  script_.set("list_databases", {{{"event", "item"}, {"data", {{"name", "a"}}}},
                                 {{"event", "item"}, {"data", {{"name", "b"}}}},
                                 {{"event", "item"}, {"data", {{"name", "c"}}}},
                                 {{"result", Json::object()}}});
  script_.set("backup", {{{"reserve", kPath}}, {{"result", world_.result(kPath)}}});
  const auto asked = [&](const Job& job, size_t number) {
    world_.wait_ended(world_.add_run(job));
    return script_.requests("backup").at(number).at("body");
  };
  world_.queue.start();
  const Json first = asked(several, 0);
  EXPECT_EQ(first.at("databases"), Json::array({"b", "a"}));
  EXPECT_EQ(first.at("database"), "");
  EXPECT_EQ(first.at("sidecar").at("multiDb").at("format"), "tar");
  EXPECT_EQ(asked(all, 1).at("databases"), Json::array({"a", "b", "c"}));
}

TEST_F(QueueTest, TakesTheOnlyDatabaseOfTheServerWhenTheJobNamesNone) {
  Job all = world_.add_job("all");
  all.databases.clear();
  world_.save(all);
  script_.set("list_databases", {{{"event", "item"}, {"data", {{"name", "only"}}}}, {{"result", Json::object()}}});
  script_.set("backup", {{{"reserve", kPath}}, {{"result", world_.result(kPath)}}});
  const std::string id = world_.add_run(all);
  world_.queue.start();
  EXPECT_EQ(world_.wait_ended(id).status, "Success") << world_.row(id).error;
  EXPECT_EQ(script_.requests("backup").at(0).at("body").at("database"), "only");
}

TEST_F(QueueTest, KeepsWaitingRunsWhenItStops) {
  script_.set("backup", {{{"hang", true}}});
  const std::string running = world_.add_run(job_, 1), waiting = world_.add_run(job_, 2);
  world_.queue.start();
  world_.wait_for([&] { return script_.requests("backup").size() == 1; });
  world_.queue.stop(50ms);
  EXPECT_EQ(world_.row(running).status, "Cancelled");
  EXPECT_EQ(world_.row(running).error, "the server was stopped");
  EXPECT_EQ(world_.row(waiting).status, "Pending");
}

TEST_F(QueueTest, EndsTheRunsOfADeadProcessAndRunsTheWaitingOnes) {
  const std::string dead = world_.add_run(job_, 1), waiting = world_.add_run(job_, 2);
  world_.database->write([&](Session& s) { ExecutionStore{}.claim_next(s, "dead host", 1, 1); });
  world_.queue.start();
  const Execution run = world_.wait_ended(dead);
  EXPECT_EQ(run.status, "Failed");
  EXPECT_THAT(run.error, HasSubstr("the server was stopped while this run was under way"));
  EXPECT_EQ(world_.wait_ended(waiting).status, "Success");
  EXPECT_THAT(script_.requests("backup"), SizeIs(1));
}

TEST_F(QueueTest, NotifiesAfterTheStatusIsFinalAndOnlyLogsWhatFails) {
  Job told = world_.add_job("told");
  told.notification_ids = {world_.add_adapter("notification", "hook", "hook")};
  world_.save(told);
  script_.set("notify", {{{"error", {{"code", 14}, {"message", "the hook is away"}}}}});
  script_.set("backup", {{{"reserve", kPath}}, {{"result", world_.result(kPath)}}});
  const std::string id = world_.add_run(told);
  world_.queue.start();
  world_.wait_for([&] {
    const auto log = world_.log_of(id);
    return !log.empty() && log.back().message.find("the hook is away") != std::string::npos;
  });
  EXPECT_EQ(world_.row(id).status, "Success");
  std::vector<NotificationLog> told_of;
  world_.database->read([&](Session& s) {
    told_of = NotificationLogStore{}.list(s, {.execution_id = id}, 10, 0);
  });
  ASSERT_THAT(told_of, SizeIs(1));
  EXPECT_EQ(told_of[0].status, "Failed");
  EXPECT_EQ(told_of[0].error, "the hook is away");
  EXPECT_EQ(told_of[0].channel_name, "hook");
  EXPECT_EQ(told_of[0].event_type, "backup_success");
  EXPECT_EQ(told_of[0].rendered_payload.find("s3cret"), std::string::npos);
  const Json event = script_.requests("notify").at(0).at("body").at("event");
  EXPECT_EQ(event.at("eventType"), "backup_success");
  EXPECT_EQ(event.at("title"), "Backup Successful: told");
}

TEST_F(QueueTest, TellsTheChannelsOfTheSettingsOfBackupsEachOnce) {
  Job told = world_.add_job("told");
  const std::string hook = world_.add_adapter("notification", "hook", "hook");
  const std::string bell = world_.add_adapter("notification", "hook", "bell");
  told.notification_ids = {hook};
  world_.save(told);
  world_.database->write([&](Session& s) {
    NotificationSettings chosen = notification_settings(s);
    chosen.global_channels = {hook, bell};
    chosen.events["backup_success"].enabled = true;
    store_notification_settings(s, chosen);
  });
  script_.set("notify", {{{"result", Json::object()}}});
  succeed();
  const std::string first = world_.add_run(told, 1);
  world_.queue.start();
  EXPECT_EQ(world_.wait_ended(first).status, "Success");
  world_.wait_for([&] { return script_.requests("notify").size() == 2; });
  // Off again: the job's own channel alone.
  world_.database->write([&](Session& s) {
    NotificationSettings chosen = notification_settings(s);
    chosen.events["backup_success"].enabled = false;
    store_notification_settings(s, chosen);
  });
  const std::string second = world_.add_run(told, 2);
  world_.queue.kick();
  world_.wait_ended(second);
  world_.wait_for([&] { return script_.requests("notify").size() == 3; });
  world_.queue.stop(10s);
  EXPECT_THAT(script_.requests("notify"), SizeIs(3));
}

TEST_F(QueueTest, TellsTheChannelsOfTheSettingsOfRestores) {
  const std::string hook = world_.add_adapter("notification", "hook", "hook");
  world_.database->write([&](Session& s) {
    NotificationSettings chosen = notification_settings(s);
    chosen.global_channels = {hook};
    store_notification_settings(s, chosen);
  });
  script_.set("notify", {{{"result", Json::object()}}});
  Execution restore{.id = new_uuid(), .type = "Restore"};
  restore.options = to_json(RestoreOptions{.destination_id = world_.destination,
                                           .path = "nightly/gone.dump",
                                           .target_source_id = job_.source_id});
  world_.database->write([&](Session& s) { ExecutionStore{}.insert(s, restore); });
  world_.queue.start();
  EXPECT_EQ(world_.wait_ended(restore.id).status, "Failed");
  world_.wait_for([&] { return script_.requests("notify").size() == 1; });
  const Json event = script_.requests("notify").at(0).at("body").at("event");
  EXPECT_EQ(event.at("eventType"), "restore_failure");
}

TEST_F(QueueTest, EndsARunWithoutProgressAsFailed) {
  script_.set("backup", {{{"reserve", kPath}}, {{"hang", true}}});
  const std::string id = world_.add_run(job_);
  world_.queue.start();
  world_.wait_for([&] { return !world_.reservations(id).empty(); });
  EXPECT_EQ(world_.queue.end_stuck(std::chrono::hours{1}), 0U) << "it has only begun";
  EXPECT_EQ(world_.queue.end_stuck(0ms), 1U);
  EXPECT_EQ(world_.queue.end_stuck(0ms), 0U) << "it has been told";
  const Execution run = world_.wait_ended(id);
  EXPECT_EQ(run.status, "Failed");
  EXPECT_EQ(run.error, "no progress for 0 minutes");
}

TEST_F(QueueTest, CountsTheSameFiguresAgainAsNoProgress) {
  const std::string id = world_.add_run(job_);
  ExecutionRecorder recorder{world_.recorders, id, "Backup"};
  recorder.progress(10, 100);
  const auto begun = std::chrono::steady_clock::now();
  world_.wait_for([&] { return std::chrono::steady_clock::now() - begun > 100ms; });
  recorder.progress(10, 100);
  EXPECT_GE(world_.recorders.quiet_for(id).value(), 100ms);
  recorder.progress(11, 100);
  EXPECT_LT(world_.recorders.quiet_for(id).value(), 100ms);
  EXPECT_FALSE(world_.recorders.quiet_for("nobody"));
}

TEST_F(QueueTest, NamesFilesByTheTemplateAndSaysThatRetentionIsNotAppliedYet) {
  Job job = world_.add_job("templated");
  Template naming{.id = "naming-own", .kind = TemplateKind::NamingTemplate, .name = "own"};
  naming.content["pattern"] = "own_{db_name}_{chain}";
  world_.database->write([&](Session& s) { TemplateStore{}.insert(s, naming); });
  job.naming_template_id = naming.id;
  job.destinations[0].retention_policy_id = "retention-simple-14";
  world_.save(job);
  succeed();  // at the destination of this job
  const std::string id = world_.add_run(job);
  world_.queue.start();
  EXPECT_EQ(world_.wait_ended(id).status, "Success");
  EXPECT_EQ(script_.requests("backup").at(0).at("body").at("path_stem"), "templated/own_orders");
  size_t said = 0;
  for (const auto& line : world_.log_of(id)) {
    said += line.message == "retention is not applied yet: nothing is deleted at \"templated disk\"";
  }
  EXPECT_EQ(said, 1U);
  EXPECT_THAT(script_.requests("remove"), IsEmpty());
}

TEST_F(QueueTest, ReadsBackWhatTheSettingOrTheJobWantsVerified) {
  const auto confirmation = [&](const std::string& name, bool by_hash, bool skips) {
    Job job = world_.add_job(name);
    job.verify_by_hash = by_hash;
    job.skip_verification = skips;
    world_.save(job);
    succeed();
    const std::string id = world_.add_run(job);
    world_.queue.kick();
    world_.wait_ended(id);
    return script_.requests("backup").back().at("body").at("confirm").get<std::string>();
  };
  world_.queue.start();
  EXPECT_EQ(confirmation("plain", false, false), "size");
  EXPECT_EQ(confirmation("by hash", true, true), "read");
  world_.live.update([](Settings& settings) { settings.set_stored("backup.postUploadVerify", "true"); });
  EXPECT_EQ(confirmation("after upload", false, false), "read");
  EXPECT_EQ(confirmation("exempt", false, true), "size");
}

}  // namespace
}  // namespace dbackup::host
