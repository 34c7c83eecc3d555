#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "base/error.hpp"
#include "base/id.hpp"
#include "control/adapter_resolver.hpp"
#include "control/catalog.hpp"
#include "control/execution_recorder.hpp"
#include "control/notification.hpp"
#include "control/plugin_registry.hpp"
#include "control/queue.hpp"
#include "control/reconcile.hpp"
#include "control/run_options.hpp"
#include "control/sidecar_keys.hpp"
#include "control/worker_client.hpp"
#include "model/sidecar.hpp"
#include "store/adapter_store.hpp"
#include "store/backup_store.hpp"
#include "store/execution_store.hpp"
#include "store/job_store.hpp"
#include "tests/unit/control/scripted_worker.hpp"

namespace dbackup::host {

inline const std::string kMasterKeyBytes(32, 'k');

/// One process' control plane over a scripted worker; several may share a folder and with it the store.
struct ControlWorld {
  explicit ControlWorld(ScriptedWorker& worker, std::string host_id = new_uuid())
      : script{worker},
        database{Database::open({.url = "sqlite://" + worker.path("metadata.db")})},
        context{.database = *database,
                .box = box,
                .clock = clock,
                .host_id = std::move(host_id),
                .program_version = "0",
                .data_dir = worker.path("data"),
                .live = live} {
    std::filesystem::create_directories(script.folder() / "plugins");
    script.make_file("plugins/all.so");
    script.set("describe", {{{"result", description()}}});
    plugins.refresh();
  }

  static Json description() {
    const auto adapter = [](const char* kind, const char* id, Json capabilities) {
      return Json{{"kind", kind}, {"id", id}, {"name", id}, {"capabilities", std::move(capabilities)},
                  {"options", Json::array({{{"name", "secret"}, {"type", "string"}, {"secret", true}},
                                           {{"name", "folder"}, {"type", "path"}}})}};
    };
    return {{"plugin_id", "org.example.all"},
            {"name", "All"},
            {"version", "1"},
            {"abi_major", 1},
            {"abi_minor", 0},
            {"adapters", Json::array({adapter("source", "postgres", {{"extension", "dump"}, {"listDatabases", true}}),
                                      adapter("storage", "disk", Json::object()),
                                      adapter("notifier", "hook", Json::object()),
                                      adapter("notifier", "email", Json::object())})}};
  }

  std::string add_adapter(const std::string& type, const std::string& kind, const std::string& name) {
    AdapterConfig adapter{.id = new_uuid(), .name = name, .type = type, .adapter_id = kind};
    adapter.sealed_config = resolver.seal_config(adapter.id, {{"secret", "s3cret"}});
    database->write([&](Session& s) { AdapterStore{}.insert(s, adapter); });
    return adapter.id;
  }
  Job add_job(const std::string& name = "nightly") {
    Job job{.id = new_uuid(), .name = name};
    job.source_id = add_adapter("database", "postgres", name + " source");
    destination = add_adapter("storage", "disk", name + " disk");
    job.databases = {"orders"};
    job.destinations = {{.id = new_uuid(), .job_id = job.id, .config_id = destination}};
    return job;
  }
  void save(const Job& job) {
    database->write([&](Session& s) { JobStore{}.insert(s, job); });
  }
  std::string add_run(const Job& job, TimeMs at = 1000) {
    Execution run{.id = new_uuid(), .job_id = job.id, .job_name = job.name, .started_at = at};
    run.trigger_type = "Api";
    database->write([&](Session& s) { ExecutionStore{}.insert(s, run); });
    return run.id;
  }
  Execution row(const std::string& id) {
    std::optional<Execution> found;
    database->read([&](Session& s) { found = ExecutionStore{}.find(s, id); });
    return found.value();
  }
  std::vector<LogEntry> log_of(const std::string& id) {
    std::vector<LogEntry> out;
    database->read([&](Session& s) { out = ExecutionStore{}.logs(s, id); });
    return out;
  }
  std::vector<Reservation> reservations(const std::string& run) {
    std::vector<Reservation> out;
    database->read([&](Session& s) { out = ReservationStore{}.of_execution(s, run); });
    return out;
  }
  std::vector<StoredBackup> backups() {
    std::vector<StoredBackup> out;
    database->read([&](Session& s) { out = BackupStore{}.list(s, destination); });
    return out;
  }
  /// The sidecar as a worker would have written it for this run.
  std::string sidecar(const std::string& run, int64_t size) const {
    Sidecar out{.execution_id = run, .job_name = "nightly"};
    out.size = size;
    out.mac_key_id = keys.key_id();
    return render_signed_sidecar(out, keys.key(run).reveal());
  }
  Json result(const std::string& path, bool success = true, int code = 14) const {
    return {{"path", path}, {"size", 3}, {"sha256", "abc"}, {"engine_version", "15.4"},
            {"sidecar", {{"version", 1}, {"executionId", "x"}}},
            {"destinations", Json::array({{{"id", destination}, {"path", path}, {"success", success},
                                           {"error_code", success ? 0 : code},
                                           {"error", success ? "" : "the disk is gone"}}})}};
  }
  static bool wait_for(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (std::chrono::steady_clock::now() < until) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    ADD_FAILURE() << "waited in vain";
    return false;
  }
  Execution wait_ended(const std::string& id) {
    wait_for([&] { return row(id).ended_at.has_value(); });
    return row(id);
  }

  ScriptedWorker& script;
  std::unique_ptr<Database> database;
  SecretBox box{SecretString{kMasterKeyBytes}};
  SystemClock clock;
  LiveSettings live{Settings::load({})};
  ControlContext context;
  SecretsInMemory secrets;
  SidecarKeys keys{SecretString{kMasterKeyBytes}};
  WorkerLauncher launcher{script.program()};
  WorkerClient workers{launcher};
  PluginRegistry plugins{context, workers, {script.path("plugins")}};
  AdapterResolver resolver{context, plugins};
  Catalog catalog{context, workers, resolver, keys};
  Reconciler reconciler{context, workers, resolver, catalog, keys};
  RecorderWriter recorders{context};
  NotificationRouter notifications{context, workers, resolver};
  Queue queue{RunParts{context, workers, plugins, resolver, keys, catalog, reconciler, recorders, notifications,
                       secrets}};
  std::string destination;
};

}  // namespace dbackup::host
