#include "control/queue.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/logging.hpp"
#include "control/execution_recorder.hpp"
#include "control/reconcile.hpp"
#include "control/run.hpp"
#include "store/execution_store.hpp"

namespace dbackup::host {
namespace {

// Rows that other hosts insert are found without a kick.
constexpr std::chrono::seconds kLook{5};
constexpr std::chrono::minutes kSweep{3};
constexpr const char* kServerStopped = "the server was stopped";

using RunFunction = void (*)(const RunParts&, const Execution&, const RunStop&);

struct TypeRow {
  const char* type;
  RunFunction run;
};
constexpr TypeRow kTypes[] = {
    {"Backup", &run_backup}, {"Restore", &run_restore}, {"Verification", &run_verification}};

}  // namespace

struct Queue::State {
  explicit State(const RunParts& run_parts) : parts{run_parts} {}

  struct Running {
    std::stop_source stop;
    std::string reason, status = "Cancelled";
    std::thread thread;
  };

  RunParts parts;
  /// Held from a claim until the run is in `runs`: who holds it sees either neither or both.
  std::mutex claiming;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::shared_ptr<Running>> runs;
  std::vector<std::thread> finished;  ///< to be joined
  bool is_kicked = false, is_stopping = false;
  std::stop_source server_stop;  ///< nothing may take long any more
  std::thread claimer, keeper;

  Database& database() const { return parts.context.database; }

  void join_finished(std::unique_lock<std::mutex>& lock) {
    std::vector<std::thread> gone;
    gone.swap(finished);
    lock.unlock();
    for (auto& thread : gone) thread.join();
    lock.lock();
  }

  void claim_all() {
    for (;;) {
      const std::lock_guard claim_lock{claiming};
      {
        const std::lock_guard lock{mutex};
        if (is_stopping) return;
      }
      std::optional<Execution> next;
      const int64_t limit = parts.context.settings().max_concurrent_jobs;
      database().write([&](Session& s) {
        next = ExecutionStore{}.claim_next(s, parts.context.host_id, limit, parts.context.clock.now_ms());
      });
      if (!next) return;
      parts.context.news->tell(next->id, RunNews::What::Status);
      begin(std::move(*next));
    }
  }

  void begin(Execution execution) {
    auto running = std::make_shared<Running>();
    const std::string id = execution.id;
    const std::lock_guard lock{mutex};
    runs[id] = running;
    try {
      running->thread = std::thread{[this, running, execution = std::move(execution)]() noexcept {
        perform(*running, execution);
        const std::lock_guard end_lock{mutex};
        finished.push_back(std::move(running->thread));
        runs.erase(execution.id);
        is_kicked = true;
        changed.notify_all();
      }};
    } catch (const std::system_error& error) {
      runs.erase(id);  // the keeper ends the row
      log_error(std::string("a run cannot get a thread: ") + error.what());
    }
  }

  void perform(const Running& running, const Execution& execution) noexcept {
    try {
      const RunStop stop{.token = running.stop.get_token(),
                         .reason = [&] {
                           const std::lock_guard lock{mutex};
                           return running.reason;
                         },
                         .server = server_stop.get_token(),
                         .status = [&] {
                           const std::lock_guard lock{mutex};
                           return running.status;
                         }};
      for (const auto& row : kTypes) {
        if (execution.type == row.type) return row.run(parts, execution, stop);
      }
      ExecutionEnd end{.status = "Failed", .error = "runs of type \"" + execution.type + "\" are not available yet"};
      end.ended_at = parts.context.clock.now_ms();
      end_run(parts, execution, end);
    } catch (const std::exception& error) {
      log_error("run " + execution.id + " could not be ended: " + error.what());
      end_anyway(execution, error.what());
    } catch (...) {
      log_error("run " + execution.id + " could not be ended");
      end_anyway(execution, "an unexpected failure");
    }
  }

  /// A run that met a failure of the store itself: it has ended, and its row says so once it can. One
  /// that wrote its end before is left as it is.
  void end_anyway(const Execution& execution, const std::string& reason) noexcept {
    try {
      ExecutionEnd end{.status = "Failed", .error = "the run could not be followed to its end: " + reason};
      end.path = execution.path;
      end.metadata = execution.metadata;
      end.ended_at = parts.context.clock.now_ms();
      end_run(parts, execution, end);
    } catch (...) {  // the keeper ends the row
      log_error("run " + execution.id + " is left to be ended later");
    }
  }

  void serve_claims() noexcept {
    std::unique_lock lock{mutex};
    while (!is_stopping) {
      is_kicked = false;
      join_finished(lock);
      lock.unlock();
      try {
        claim_all();
      } catch (const std::exception& error) {
        log_error(std::string("the queue cannot be read: ") + error.what());
      } catch (...) {
        log_error("the queue cannot be read");
      }
      lock.lock();
      changed.wait_for(lock, kLook, [this] { return is_kicked || is_stopping; });
    }
  }

  /// Rows of this process that no thread runs: their end could not be written.
  void end_orphans() {
    std::vector<Execution> orphans;
    {
      const std::lock_guard claim_lock{claiming};
      std::vector<Execution> all;
      database().read([&](Session& s) { all = ExecutionStore{}.running_elsewhere(s, ""); });
      const std::lock_guard lock{mutex};
      for (auto& row : all) {
        if (row.host_id == parts.context.host_id && !runs.contains(row.id)) orphans.push_back(std::move(row));
      }
    }
    for (const auto& row : orphans) parts.reconciler.end_dead_run(row);
  }

  void serve_keeping() noexcept {
    std::unique_lock lock{mutex};
    while (!is_stopping) {
      lock.unlock();
      try {
        parts.reconciler.end_dead_runs();
        end_orphans();
        kick();  // places may have become free
        parts.reconciler.sweep();
        parts.reconciler.finish_restores();
      } catch (const std::exception& error) {
        log_error(std::string("what earlier runs left cannot be looked after: ") + error.what());
      } catch (...) {
        log_error("what earlier runs left cannot be looked after");
      }
      lock.lock();
      changed.wait_for(lock, kSweep, [this] { return is_stopping; });
    }
  }

  void kick() {
    const std::lock_guard lock{mutex};
    is_kicked = true;
    changed.notify_all();
  }

  bool signal(const std::string& id, const std::string& reason) {
    const std::lock_guard claim_lock{claiming};
    std::shared_ptr<Running> running;
    {
      const std::lock_guard lock{mutex};
      const auto found = runs.find(id);
      if (found == runs.end()) return false;
      running = found->second;
      if (running->reason.empty()) running->reason = reason;
    }
    running->stop.request_stop();
    return true;
  }
};

Queue::Queue(const RunParts& parts) : state_{std::make_unique<State>(parts)} {}

Queue::~Queue() { stop(std::chrono::milliseconds{0}); }

void Queue::start() {
  const std::lock_guard lock{state_->mutex};
  if (state_->claimer.joinable() || state_->is_stopping) return;
  state_->keeper = std::thread{[state = state_.get()]() noexcept { state->serve_keeping(); }};
  state_->claimer = std::thread{[state = state_.get()]() noexcept { state->serve_claims(); }};
}

void Queue::kick() { state_->kick(); }

CancelOutcome Queue::cancel(const std::string& execution_id, const std::string& actor) {
  const std::string reason = actor.empty() ? "cancelled" : "cancelled by " + actor;
  const TimeMs now = state_->parts.context.clock.now_ms();
  // Waiting, claimed and ended follow each other: looking in this order misses none.
  CancelOutcome outcome = CancelOutcome::Unknown;
  bool has_ended = false;
  state_->database().write([&](Session& s) {
    if (!ExecutionStore{}.cancel_pending(s, execution_id, now, reason)) {
      // A run whose row has ended may still clean up or notify: there is nothing left to cancel.
      const auto row = ExecutionStore{}.find(s, execution_id);
      has_ended = row && row->status != "Running";
      return;
    }
    LogEntry line{.seq = ExecutionStore{}.last_log_seq(s, execution_id) + 1, .at = now};
    line.level = "warning";
    line.type = "general";
    line.stage = "Cancelled";
    line.message = reason;
    ExecutionStore{}.append_logs(s, execution_id, {line});
    outcome = CancelOutcome::Cancelled;
  });
  const auto tell = [&] {
    state_->parts.context.news->tell(execution_id, RunNews::What::Status);
    return outcome;
  };
  if (outcome == CancelOutcome::Cancelled) return tell();
  if (has_ended) return CancelOutcome::AlreadyEnded;
  if (state_->signal(execution_id, reason)) return CancelOutcome::Signalled;
  state_->database().write([&](Session& s) {
    const auto row = ExecutionStore{}.find(s, execution_id);
    if (!row) return;
    outcome = CancelOutcome::AlreadyEnded;
    if (row->status != "Running") return;
    ExecutionEnd end{.status = "Cancelled", .error = reason + "; its process was gone", .path = row->path};
    end.metadata = row->metadata;
    end.ended_at = now;
    if (ExecutionStore{}.end_abandoned(s, execution_id, end)) outcome = CancelOutcome::Forced;
  });
  if (outcome == CancelOutcome::Forced) kick();
  return tell();
}

void Queue::stop(std::chrono::milliseconds grace) {
  std::unique_lock lock{state_->mutex};
  state_->is_stopping = true;
  state_->changed.notify_all();
  const auto is_idle = [this] { return state_->runs.empty(); };
  // A claim under way ends in `runs`, or not at all.
  lock.unlock();
  { const std::lock_guard claim_lock{state_->claiming}; }
  lock.lock();
  if (!state_->changed.wait_for(lock, grace, is_idle)) {
    const auto runs = state_->runs;
    for (const auto& [id, running] : runs) {
      if (running->reason.empty()) running->reason = kServerStopped;
    }
    lock.unlock();
    state_->server_stop.request_stop();
    for (const auto& [id, running] : runs) running->stop.request_stop();
    lock.lock();
    state_->changed.wait(lock, is_idle);
  }
  state_->parts.reconciler.stop();
  state_->join_finished(lock);
  std::thread claimer = std::move(state_->claimer), keeper = std::move(state_->keeper);
  lock.unlock();
  if (claimer.joinable()) claimer.join();
  if (keeper.joinable()) keeper.join();
}

size_t Queue::end_stuck(std::chrono::milliseconds limit) {
  std::vector<std::pair<std::string, std::shared_ptr<State::Running>>> stuck;
  {
    const std::lock_guard lock{state_->mutex};
    for (const auto& [id, running] : state_->runs) {
      const auto quiet = state_->parts.recorders.quiet_for(id);
      if (!quiet || *quiet < limit || running->stop.stop_requested()) continue;
      if (running->reason.empty()) {
        running->reason =
            "no progress for " +
            std::to_string(std::chrono::duration_cast<std::chrono::minutes>(*quiet).count()) + " minutes";
        running->status = "Failed";
      }
      stuck.emplace_back(id, running);
    }
  }
  for (const auto& [id, running] : stuck) {
    log_warning("run " + id + " is ended: " + running->reason);
    running->stop.request_stop();
  }
  return stuck.size();
}

size_t Queue::running() const {
  const std::lock_guard lock{state_->mutex};
  return state_->runs.size();
}

}  // namespace dbackup::host
