#include <gtest/gtest.h>

#include "control/adapter_observer.hpp"
#include "control/task_work.hpp"
#include "store/observation_store.hpp"
#include "tests/unit/control/control_world.hpp"

namespace dbackup::host {
namespace {

struct ObservedWorld {
  ScriptedWorker script;
  ControlWorld world{script};
  AdapterObserver observer{world.context, world.workers,
                           world.plugins, world.resolver,
                           world.catalog, {.at_once = 2, .ping = std::chrono::seconds{2}}};

  AdapterConfig row(const std::string& id) {
    std::optional<AdapterConfig> found;
    world.database->read([&](Session& s) { found = AdapterStore{}.find(s, id); });
    return found.value();
  }
  std::vector<HealthCheck> health(const std::string& id) {
    std::vector<HealthCheck> out;
    world.database->read([&](Session& s) { out = ObservationStore{}.health(s, id, 0, 100); });
    return out;
  }
  std::vector<VersionChange> versions(const std::string& id) {
    std::vector<VersionChange> out;
    world.database->read([&](Session& s) { out = ObservationStore{}.versions(s, id, 100); });
    return out;
  }
  std::vector<StorageSnapshot> snapshots(const std::string& id) {
    std::vector<StorageSnapshot> out;
    world.database->read([&](Session& s) { out = ObservationStore{}.snapshots(s, id, 0); });
    return out;
  }
  void ping_answers(const Json& step) { script.set("ping", Json::array({step})); }
};

const Json kRefused{{"error", {{"code", 14}, {"message", "connection refused"}}}};

TEST(AdapterObserver, CallsAnAdapterDegradedAfterOneFailureAndOfflineAfterThree) {
  ObservedWorld seen;
  const std::string id = seen.world.add_adapter("database", "postgres", "orders");
  seen.ping_answers({{"result", {{"latencyMs", 7}}}});
  seen.observer.health_check();
  EXPECT_EQ(seen.row(id).last_status, "ONLINE");
  EXPECT_TRUE(seen.row(id).last_health_check.has_value());
  EXPECT_EQ(seen.health(id).front().latency_ms, 7);
  seen.ping_answers(kRefused);
  for (const char* status : {"DEGRADED", "DEGRADED", "OFFLINE", "OFFLINE"}) {
    seen.observer.health_check();
    EXPECT_EQ(seen.row(id).last_status, status);
    EXPECT_EQ(seen.row(id).last_error, "connection refused");
    EXPECT_EQ(seen.health(id).front().status, status) << "newest first";
  }
  EXPECT_EQ(seen.row(id).consecutive_failures, 4);
  seen.ping_answers({{"result", {{"latencyMs", 5}}}});
  seen.observer.health_check();
  EXPECT_EQ(seen.row(id).last_status, "ONLINE");
  EXPECT_EQ(seen.row(id).last_error, "");
  EXPECT_EQ(seen.row(id).consecutive_failures, 0);
  EXPECT_EQ(seen.health(id).size(), 6U);
}

TEST(AdapterObserver, AsksSourcesAndStoragesButNoChannel) {
  ObservedWorld seen;
  const std::string source = seen.world.add_adapter("database", "postgres", "orders");
  const std::string disk = seen.world.add_adapter("storage", "disk", "disk");
  const std::string hook = seen.world.add_adapter("notification", "hook", "hook");
  seen.ping_answers({{"result", Json::object()}});
  seen.observer.health_check();
  EXPECT_EQ(seen.health(source).size(), 1U);
  EXPECT_EQ(seen.health(disk).size(), 1U);
  EXPECT_TRUE(seen.health(hook).empty());
}

TEST(AdapterObserver, CountsAFailureForTheAdapterThatHasItAlone) {
  ObservedWorld seen;
  const std::string ghost = seen.world.add_adapter("database", "ghost", "plugin is gone");
  std::vector<std::string> others;
  for (int i = 0; i < 5; ++i) {
    others.push_back(seen.world.add_adapter("database", "postgres", "db" + std::to_string(i)));
  }
  seen.ping_answers({{"result", Json::object()}});
  seen.observer.health_check();
  for (const std::string& id : others) EXPECT_EQ(seen.row(id).last_status, "ONLINE");
  EXPECT_EQ(seen.row(ghost).last_status, "DEGRADED");
  EXPECT_NE(seen.row(ghost).last_error.find("ghost"), std::string::npos);
}

TEST(AdapterObserver, TakesSilenceAndCrashesForFailures) {
  ObservedWorld seen;
  const std::string id = seen.world.add_adapter("database", "postgres", "orders");
  seen.ping_answers({{"hang", true}});
  seen.observer.health_check();
  EXPECT_EQ(seen.row(id).last_status, "DEGRADED");
  EXPECT_FALSE(seen.row(id).last_error.empty());
  seen.ping_answers({{"signal", 11}});
  seen.observer.health_check();
  EXPECT_EQ(seen.row(id).consecutive_failures, 2);
}

TEST(AdapterObserver, WritesNothingDownOnceItIsStopped) {
  ObservedWorld seen;
  const std::string id = seen.world.add_adapter("database", "postgres", "orders");
  seen.ping_answers({{"await_cancel", true}});
  std::stop_source stop;
  std::thread look{[&] { seen.observer.health_check(stop.get_token()); }};
  ControlWorld::wait_for([&] { return !seen.script.requests("ping").empty(); });
  seen.observer.health_check();  // the one that goes on makes it return at once
  stop.request_stop();
  look.join();
  EXPECT_TRUE(seen.health(id).empty());
  EXPECT_EQ(seen.row(id).last_status, "ONLINE");
}

TEST(AdapterObserver, AsksAFewAtATime) {
  ObservedWorld seen;
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(seen.world.add_adapter("database", "postgres", "db" + std::to_string(i)));
  }
  seen.script.set("ping", Json::array({{{"await_file", seen.script.path("go")}},
                                       {{"result", Json::object()}}}));
  std::thread look{[&] { seen.observer.health_check(); }};
  ControlWorld::wait_for([&] { return seen.script.requests("ping").size() == 2; });
  for (const std::string& id : ids) EXPECT_TRUE(seen.health(id).empty());
  seen.script.make_file("go");
  look.join();
  for (const std::string& id : ids) EXPECT_EQ(seen.health(id).size(), 1U);
}

TEST(AdapterObserver, KeepsTheVersionsInWhichAServerWasFound) {
  ObservedWorld seen;
  const std::string id = seen.world.add_adapter("database", "postgres", "orders");
  const auto found = [&](const std::string& version, const std::string& edition = "") {
    seen.script.set("test",
                    Json::array({{{"result", {{"version", version}, {"edition", edition}}}}}));
    seen.observer.update_db_versions();
  };
  found("15.4", "Community");
  found("15.4", "Community");
  EXPECT_EQ(seen.versions(id).size(), 1U) << "only changes are kept";
  EXPECT_EQ(seen.versions(id).front().previous_version, "");
  EXPECT_EQ(seen.row(id).metadata["engineVersion"], "15.4");
  EXPECT_EQ(seen.row(id).metadata["engineEdition"], "Community");
  EXPECT_EQ(seen.row(id).metadata["status"], "Online");
  EXPECT_TRUE(seen.row(id).metadata["lastCheck"].is_string());
  // A connection test may have been faster with the metadata.
  AdapterConfig row = seen.row(id);
  row.metadata["engineVersion"] = "16.1";
  seen.world.database->write([&](Session& s) { AdapterStore{}.update(s, row); });
  found("16.1");
  const auto versions = seen.versions(id);
  ASSERT_EQ(versions.size(), 2U);
  EXPECT_EQ(versions.front().previous_version, "15.4");
  EXPECT_EQ(versions.front().new_version, "16.1");
  EXPECT_FALSE(seen.row(id).metadata.contains("engineEdition")) << "it was the old server's";
  found("");
  seen.script.set("test", Json::array({kRefused}));
  seen.observer.update_db_versions();
  EXPECT_EQ(seen.versions(id).size(), 2U);
  EXPECT_EQ(seen.row(id).metadata["engineVersion"], "16.1");
}

TEST(AdapterObserver, MeasuresWhatLiesAtDestinations) {
  ObservedWorld seen;
  const std::string disk = seen.world.add_adapter("storage", "disk", "disk");
  const std::string lost = seen.world.add_adapter("storage", "ghost", "plugin is gone");
  AdapterConfig source = seen.row(seen.world.add_adapter("storage", "disk", "folders"));
  source.storage_role = "SOURCE";
  seen.world.database->write([&](Session& s) { AdapterStore{}.update(s, source); });
  const auto item = [](const char* path, int64_t size) {
    return Json{{"event", "item"}, {"data", {{"path", path}, {"size", size}, {"modifiedMs", 1}}}};
  };
  seen.script.set("list", Json::array({item("a.dump", 3'000'000'000),
                                       item("b.dump", 5),
                                       {{"result", Json::object()}}}));
  seen.observer.refresh_storage_stats();
  ASSERT_EQ(seen.snapshots(disk).size(), 1U);
  EXPECT_EQ(seen.snapshots(disk).front().size_bytes, 3'000'000'005);
  EXPECT_EQ(seen.snapshots(disk).front().file_count, 2);
  EXPECT_TRUE(seen.snapshots(source.id).empty()) << "nothing is stored there";
  EXPECT_TRUE(seen.snapshots(lost).empty());
  seen.script.set("list", Json::array({kRefused}));
  seen.observer.refresh_storage_stats();
  EXPECT_EQ(seen.snapshots(disk).size(), 1U) << "a listing that failed measures nothing";
}

TEST(AdapterObserver, ForgetsWhatIsOlderThanTheSettingsSay) {
  ObservedWorld seen;
  const std::string id = seen.world.add_adapter("storage", "disk", "disk");
  constexpr TimeMs kDay = 24LL * 60 * 60 * 1000;
  const TimeMs now = seen.world.clock.now_ms();
  seen.world.database->write([&](Session& s) {
    for (const TimeMs age : {1, 3, 89, 91}) {
      const TimeMs at = now - age * kDay;
      ObservationStore{}.insert(s,
                                HealthCheck{.id = new_uuid(), .adapter_id = id, .created_at = at});
      ObservationStore{}.insert(
          s, StorageSnapshot{.id = new_uuid(), .adapter_id = id, .created_at = at});
    }
  });
  SystemTasks tasks{seen.world.context};
  add_control_tasks(tasks, seen.world.context, seen.world.catalog, seen.world.queue, seen.observer);
  ASSERT_TRUE(tasks.start_now("system.clean_audit_logs"));
  ControlWorld::wait_for([&] { return !tasks.is_running("system.clean_audit_logs"); });
  EXPECT_EQ(seen.health(id).size(), 1U) << "two days";
  EXPECT_EQ(seen.snapshots(id).size(), 3U) << "ninety days";
}

TEST(AdapterObserver, IsWhatTheSystemTasksRun) {
  ObservedWorld seen;
  const std::string source = seen.world.add_adapter("database", "postgres", "orders");
  const std::string disk = seen.world.add_adapter("storage", "disk", "disk");
  seen.ping_answers({{"result", Json::object()}});
  seen.script.set("test", Json::array({{{"result", {{"version", "15.4"}}}}}));
  seen.script.set("list", Json::array({{{"result", Json::object()}}}));
  SystemTasks tasks{seen.world.context};
  add_control_tasks(tasks, seen.world.context, seen.world.catalog, seen.world.queue, seen.observer);
  for (const std::string id :
       {"system.health_check", "system.update_db_versions", "system.refresh_storage_stats"}) {
    EXPECT_TRUE(tasks.can_run(require_system_task(id))) << id;
    ASSERT_TRUE(tasks.start_now(id));
    ControlWorld::wait_for([&] { return !tasks.is_running(id); });
  }
  EXPECT_EQ(seen.health(source).size(), 1U);
  EXPECT_EQ(seen.versions(source).size(), 1U);
  EXPECT_EQ(seen.snapshots(disk).size(), 1U);
}

}  // namespace
}  // namespace dbackup::host
