#include "control/system_tasks.hpp"

#include <array>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "base/error.hpp"
#include "base/logging.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

constexpr std::array kTasks{
    SystemTaskRow{"system.update_db_versions", "Database versions",
                  "Reads the versions of all database sources", "0 * * * *", true, true},
    SystemTaskRow{"system.health_check", "Health check",
                  "Asks all sources and destinations whether they answer", "*/1 * * * *", false, true},
    SystemTaskRow{"system.clean_audit_logs", "Clean-up of logs",
                  "Deletes log entries that are older than the settings keep them", "0 0 * * *", true,
                  true},
    SystemTaskRow{"system.check_for_updates", "Check for updates", "Looks for a newer release",
                  "0 0 * * *", true, true, false, "no server publishes releases to ask"},
    SystemTaskRow{"system.sync_permissions", "Permissions of SuperAdmin",
                  "Gives SuperAdmin every permission", "0 0 * * *", true, true},
    SystemTaskRow{"system.config_backup", "Configuration backup",
                  "Backs up this server's own configuration", "0 3 * * *", false, false, false,
                  "configuration backups are not available yet"},
    SystemTaskRow{"system.integrity_check", "Integrity check", "Verifies stored backups", "0 4 * * 0",
                  false, false, false, "verifying all stored backups is not available yet"},
    SystemTaskRow{"system.refresh_storage_stats", "Storage statistics",
                  "Counts sizes and backups of every destination", "0 * * * *", true, true},
    SystemTaskRow{"system.warmup_storage_cache", "Storage listings",
                  "Lists every destination anew, so that the explorer answers at once", "0 * * * *", true,
                  true},
    SystemTaskRow{"system.stuck_execution_check", "Stuck runs",
                  "Ends runs of this host that make no progress", "*/5 * * * *", false, true, true},
};

/// Under which key a choice is stored. Those of configuration backups are older than the tasks.
std::string key_of(const SystemTaskRow& row, const std::string& name) {
  if (row.id == "system.config_backup" && (name == "enabled" || name == "schedule"))
    return "config.backup." + name;
  return "task." + std::string{row.id} + "." + name;
}

std::optional<TimeMs> time_of(const std::string& text) {
  try {
    return text.empty() ? std::nullopt : std::optional{parse_iso8601(text, "lastRunAt")};
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::span<const SystemTaskRow> system_task_table() noexcept { return kTasks; }

const SystemTaskRow& require_system_task(const std::string& id) {
  for (const auto& row : kTasks) {
    if (row.id == id) return row;
  }
  throw Error(ErrorCode::NotFound, "system task not found");
}

struct SystemTasks::State {
  struct Task {
    Work work;
    bool is_running = false;
    std::thread thread;
  };

  const ControlContext& context;
  mutable std::mutex mutex;
  std::map<std::string, Task, std::less<>> tasks;
  std::vector<Sweep> sweeps;
  std::stop_source stop;
  bool is_stopping = false;

  void perform(const std::string& id, const Work& work) noexcept {
    try {
      const TimeMs begun = context.clock.now_ms();
      context.database.write([&](Session& session) {
        SettingStore{}.set(session, key_of(require_system_task(id), "lastRunAt"), format_iso8601(begun));
      });
      const std::string said = work(stop.get_token());
      if (!said.empty()) log_info("system task " + id + ": " + said);
    } catch (const std::exception& error) {
      log_error("system task " + id + " failed: " + error.what());
    } catch (...) {
      log_error("system task " + id + " failed");
    }
  }

  std::string sweep_all() {
    const auto settings = context.live.now();
    std::vector<Sweep> all;
    {
      const std::lock_guard lock{mutex};
      all = sweeps;
    }
    std::string said;
    for (const auto& sweep : all) {
      int64_t gone = 0;
      context.database.write(
          [&](Session& session) { gone = sweep.remove(session, *settings, context.clock.now_ms()); });
      if (gone > 0) said += (said.empty() ? "" : ", ") + std::to_string(gone) + " " + sweep.rows;
    }
    return said.empty() ? said : said + " deleted";
  }
};

SystemTasks::SystemTasks(const ControlContext& context)
    : state_{new State{.context = context}} {
  add("system.clean_audit_logs", [state = state_.get()](std::stop_token) { return state->sweep_all(); });
}

SystemTasks::~SystemTasks() { stop(); }

void SystemTasks::add(std::string_view id, Work work) {
  require_system_task(std::string{id});
  const std::lock_guard lock{state_->mutex};
  auto& task = state_->tasks[std::string{id}];
  if (task.work) throw std::logic_error{"two works for " + std::string{id}};
  task.work = std::move(work);
}

void SystemTasks::add_sweep(Sweep sweep) {
  const std::lock_guard lock{state_->mutex};
  state_->sweeps.push_back(std::move(sweep));
}

bool SystemTasks::can_run(const SystemTaskRow& row) const {
  const std::lock_guard lock{state_->mutex};
  return row.missing.empty() && state_->tasks.contains(row.id);
}

SystemTaskSettings SystemTasks::settings(Session& session, const SystemTaskRow& row) const {
  const SettingStore store;
  const auto text = [&](const char* name) { return store.get(session, key_of(row, name)); };
  SystemTaskSettings out;
  out.enabled = text("enabled").value_or(row.enabled ? "true" : "false") == "true";
  out.run_on_startup =
      text("runOnStartup").value_or(row.run_on_startup ? "true" : "false") == "true";
  out.schedule = text("schedule").value_or(std::string{row.schedule});
  out.last_run_at = time_of(text("lastRunAt").value_or(""));
  return out;
}

void SystemTasks::change(Session& session, const SystemTaskRow& row,
                         const SystemTaskSettings& to) const {
  const SettingStore store;
  store.set(session, key_of(row, "enabled"), to.enabled ? "true" : "false");
  store.set(session, key_of(row, "runOnStartup"), to.run_on_startup ? "true" : "false");
  store.set(session, key_of(row, "schedule"), to.schedule);
}

void SystemTasks::check_can_run(const std::string& id) const {
  const SystemTaskRow& row = require_system_task(id);
  if (can_run(row)) return;
  const std::string lacks = row.missing.empty() ? "its work is not available yet" : std::string{row.missing};
  throw Error(ErrorCode::Unimplemented, "the task \"" + id + "\" cannot run: " + lacks);
}

bool SystemTasks::start_now(const std::string& id) {
  check_can_run(id);
  const std::lock_guard lock{state_->mutex};
  auto& task = state_->tasks.find(id)->second;
  if (state_->is_stopping || task.is_running) return false;
  if (task.thread.joinable()) task.thread.join();  // it has left the work, and ends at once
  task.is_running = true;
  try {
    task.thread = std::thread{[state = state_.get(), &task, id]() noexcept {
      state->perform(id, task.work);
      const std::lock_guard end_lock{state->mutex};
      task.is_running = false;
    }};
  } catch (const std::system_error& error) {
    task.is_running = false;
    throw Error(ErrorCode::ResourceExhausted, "the task cannot get a thread", error.what(), "busy");
  }
  return true;
}

void SystemTasks::run_startup() {
  std::vector<std::string> wanted;
  state_->context.database.read([&](Session& session) {
    for (const auto& row : kTasks) {
      const SystemTaskSettings chosen = settings(session, row);
      if (chosen.enabled && chosen.run_on_startup && can_run(row)) wanted.emplace_back(row.id);
    }
  });
  for (const auto& id : wanted) start_now(id);
}

void SystemTasks::stop() {
  state_->stop.request_stop();
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock{state_->mutex};
    state_->is_stopping = true;
    for (auto& [id, task] : state_->tasks) {
      if (task.thread.joinable()) threads.push_back(std::move(task.thread));
    }
  }
  for (auto& thread : threads) thread.join();
}

bool SystemTasks::is_running(const std::string& id) const {
  const std::lock_guard lock{state_->mutex};
  const auto found = state_->tasks.find(id);
  return found != state_->tasks.end() && found->second.is_running;
}

}  // namespace dbackup::host
