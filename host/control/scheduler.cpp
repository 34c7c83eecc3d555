#include "control/scheduler.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/id.hpp"
#include "base/logging.hpp"
#include "control/cron.hpp"
#include "control/run_options.hpp"
#include "control/stored_settings.hpp"
#include "control/system_tasks.hpp"
#include "store/execution_store.hpp"
#include "store/profile_store.hpp"
#include "store/schedule_store.hpp"

namespace dbackup::host {
namespace {

constexpr TimeMs kMinute = 60'000;
constexpr TimeMs kMadeUpFor = kMinute;     ///< how late a due time still fires
constexpr TimeMs kLook = kMinute;          ///< for what other hosts changed
constexpr TimeMs kRetry = 1000;            ///< while the store fails
constexpr TimeMs kStartupDelay = 10'000;   ///< of the tasks at start: the server answers first
constexpr TimeMs kSweepEvery = 60 * kMinute;
constexpr TimeMs kKeepRows = 7 * 24 * 60 * kMinute;
constexpr TimeMs kNoteEvery = kMinute / 2;
constexpr size_t kMostMissed = 100;  ///< named of one job; a schedule of seconds has millions
constexpr const char* kLastSeen = "scheduler.lastSeen";

}  // namespace

struct Scheduler::State {
  /// A job, or a system task.
  struct Entry {
    bool is_task = false;
    std::string id, name, expression;
    bool every_host = false;
    std::optional<CronSchedule> schedule;  ///< none: it cannot be read
    TimeMs since = 0;                      ///< due times up to here have been dealt with
    std::optional<TimeMs> next;
  };

  State(const ControlContext& given, SystemTasks& system_tasks, std::function<void()> kick_queue)
      : context{given}, tasks{system_tasks}, kick{std::move(kick_queue)}, stored{given} {}

  const ControlContext& context;
  SystemTasks& tasks;
  std::function<void()> kick;

  std::mutex mutex;
  std::condition_variable changed;
  bool is_stopping = false, is_stale = true;
  std::thread thread;

  // Of the turns alone.
  StoredSettings stored;
  std::map<std::string, Entry> entries;
  std::string zone;
  std::optional<TimeMs> loaded_at, started_at, swept_at, noted_at;
  bool did_startup = false, is_failing = false, has_fired = false;

  void set_next(Entry& entry, TimeMs since) {
    entry.since = since;
    entry.next = entry.schedule ? entry.schedule->next_after(since, zone) : std::nullopt;
  }

  TimeMs last_seen(TimeMs now) {
    if (loaded_at) return std::min(*loaded_at, now);
    TimeMs out = now;
    context.database.read([&](Session& session) {
      const auto text = SettingStore{}.get(session, kLastSeen);
      if (text) out = std::min(now, parse_iso8601(*text, kLastSeen));
    });
    return out;
  }

  void note_seen(TimeMs now) {
    if (noted_at && *noted_at <= now && now - *noted_at < kNoteEvery) return;
    context.database.write(
        [&](Session& session) { SettingStore{}.set(session, kLastSeen, format_iso8601(now)); });
    noted_at = now;
  }

  /// Takes over what is known already; what is new, or has a new schedule, begins at `since`.
  void put(std::map<std::string, Entry>& fresh, Entry entry, TimeMs since, bool is_same_zone) {
    const std::string key = (entry.is_task ? "task/" : "job/") + entry.id;
    const auto known = entries.find(key);
    if (known != entries.end() && known->second.expression == entry.expression && is_same_zone) {
      known->second.name = entry.name;
      fresh.emplace(key, std::move(known->second));
      return;
    }
    try {
      entry.schedule = CronSchedule::parse(entry.expression);
    } catch (const Error& error) {
      log_warning((entry.is_task ? "the system task " : "the job ") + ("\"" + entry.name) +
                  "\" never fires: " + error.what());
    }
    set_next(entry, since);
    fresh.emplace(key, std::move(entry));
  }

  void load(TimeMs now) {
    stored.refresh();
    const std::string new_zone = context.settings().time_zone;
    const bool is_same_zone = new_zone == zone || !loaded_at;
    const TimeMs seen = last_seen(now);
    std::vector<JobSchedule> jobs;
    std::vector<std::pair<const SystemTaskRow*, SystemTaskSettings>> wanted;
    context.database.read([&](Session& session) {
      jobs = ScheduleStore{}.jobs(session, /*enabled_only=*/true);
      for (const auto& row : system_task_table()) {
        if (tasks.can_run(row)) wanted.emplace_back(&row, tasks.settings(session, row));
      }
    });
    zone = new_zone;
    std::map<std::string, Entry> fresh;
    for (auto& job : jobs) {
      // Nothing is due by a schedule before it was set, or by a zone before it was chosen.
      const TimeMs since = is_same_zone ? std::min(std::max(seen, job.since), now) : now;
      put(fresh, {.id = job.job_id, .name = job.job_name, .expression = job.schedule}, since, is_same_zone);
    }
    for (const auto& [row, chosen] : wanted) {
      if (!chosen.enabled) continue;
      const std::string id{row->id};
      put(fresh,
          {.is_task = true, .id = id, .name = id, .expression = chosen.schedule, .every_host = row->every_host},
          now, is_same_zone);
    }
    entries = std::move(fresh);
    loaded_at = now;
    note_seen(now);
    if (!swept_at || now - *swept_at >= kSweepEvery || now < *swept_at) {
      context.database.write(
          [&](Session& session) { ScheduleStore{}.remove_older_than(session, now - kKeepRows); });
      swept_at = now;
    }
  }

  /// Row and execution, or neither.
  void fire_job(const Entry& entry, TimeMs at) {
    Execution run{.id = new_uuid(), .job_id = entry.id, .job_name = entry.name};
    run.started_at = context.clock.now_ms();
    run.trigger_type = "Scheduler";
    run.trigger_label = "Scheduler";
    run.options = to_json(BackupOptions{});
    context.database.write([&](Session& session) {
      // Another host may have changed it within the last minute.
      const auto job = ScheduleStore{}.job(session, entry.id);
      if (!job || !job->enabled || job->schedule != entry.expression) return;
      if (!ScheduleStore{}.take(session, entry.id, at, run.id)) return;
      run.job_name = job->job_name;
      ExecutionStore{}.insert(session, run);
      has_fired = true;
    });
  }

  void fire_task(const Entry& entry, TimeMs at) {
    bool is_ours = entry.every_host;
    if (!is_ours) {
      context.database.write(
          [&](Session& session) { is_ours = ScheduleStore{}.take_task(session, entry.id, at); });
    }
    if (is_ours && !tasks.start_now(entry.id)) {
      log_info("system task " + entry.id + " still runs: its due time is left out");
    }
  }

  /// Due times that are too old. Those that were taken before this process looked are no loss.
  void tell_missed(const Entry& entry, const std::vector<TimeMs>& times, bool are_more) {
    std::vector<TimeMs> missed;
    context.database.read([&](Session& session) {
      for (const TimeMs at : times) {
        if (!ScheduleStore{}.is_taken(session, entry.id, at)) missed.push_back(at);
      }
    });
    if (missed.empty()) return;
    log_warning("the job \"" + entry.name + "\" missed " + (are_more ? "more than " : "") +
                std::to_string(missed.size()) + " due time(s), the first at " +
                format_iso8601(missed.front()) + ": the server was down or could not reach its metadata; "
                "they are not made up for");
  }

  void fire_due(Entry& entry, TimeMs now) {
    // The clock was set back: what it shows again has been dealt with by its row.
    if (entry.since > now) set_next(entry, now);
    const TimeMs too_old = now - kMadeUpFor;
    std::vector<TimeMs> missed;
    bool are_more = false;
    TimeMs since = entry.since;
    auto next = entry.next;
    while (next && *next < too_old && !are_more) {
      are_more = missed.size() == kMostMissed;
      if (!are_more) missed.push_back(*next);
      since = are_more ? too_old - 1 : *next;
      next = entry.schedule->next_after(since, zone);
    }
    if (!missed.empty() && !entry.is_task) tell_missed(entry, missed, are_more);
    entry.since = since;
    entry.next = next;
    while (entry.next && *entry.next <= now) {
      entry.is_task ? fire_task(entry, *entry.next) : fire_job(entry, *entry.next);
      set_next(entry, *entry.next);
    }
  }

  /// False when the store failed: what is due stays due.
  bool work(TimeMs now, bool should_load) {
    try {
      for (auto& [key, entry] : entries) fire_due(entry, now);
      if (should_load) {
        load(now);
        for (auto& [key, entry] : entries) fire_due(entry, now);
      }
      if (!did_startup && now >= started_at.value_or(now) + kStartupDelay) {
        tasks.run_startup();
        did_startup = true;
      }
      is_failing = false;
      return true;
    } catch (const std::exception& error) {
      if (!is_failing) log_error(std::string{"schedules cannot be followed, they are tried again: "} + error.what());
      is_failing = true;
      return false;
    }
  }

  TimeMs turn() {
    const TimeMs now = context.clock.now_ms();
    if (!started_at) started_at = now;
    bool should_load = !loaded_at || now - *loaded_at >= kLook || now < *loaded_at;
    {
      const std::lock_guard lock{mutex};
      should_load = should_load || is_stale;
      is_stale = false;
    }
    const bool is_done = work(now, should_load);
    if (has_fired) kick();
    has_fired = false;
    if (!is_done) {
      const std::lock_guard lock{mutex};
      is_stale = true;
      return now + kRetry;
    }
    TimeMs next = *loaded_at + kLook;
    if (!did_startup) next = std::min(next, *started_at + kStartupDelay);
    for (const auto& [key, entry] : entries) next = std::min(next, entry.next.value_or(next));
    return std::max(next, now + 1);
  }

  void serve() noexcept {
    std::unique_lock lock{mutex};
    while (!is_stopping) {
      lock.unlock();
      TimeMs wait = kRetry;
      try {
        const TimeMs next = turn();
        wait = std::clamp<TimeMs>(next - context.clock.now_ms(), 0, kLook);
      } catch (...) {
        log_error("schedules cannot be followed, they are tried again");
      }
      lock.lock();
      // A failing store is not asked again before its time, whoever calls.
      const bool may_wake = !is_failing;
      changed.wait_for(lock, std::chrono::milliseconds{wait},
                       [&] { return is_stopping || (is_stale && may_wake); });
    }
  }
};

Scheduler::Scheduler(const ControlContext& context, SystemTasks& tasks, std::function<void()> kick)
    : state_{std::make_unique<State>(context, tasks, std::move(kick))} {}

Scheduler::~Scheduler() { stop(); }

void Scheduler::start() {
  const std::lock_guard lock{state_->mutex};
  if (state_->thread.joinable() || state_->is_stopping) return;
  state_->thread = std::thread{[state = state_.get()]() noexcept { state->serve(); }};
}

void Scheduler::stop() {
  std::thread thread;
  {
    const std::lock_guard lock{state_->mutex};
    state_->is_stopping = true;
    thread = std::move(state_->thread);
  }
  state_->changed.notify_all();
  if (thread.joinable()) thread.join();
}

void Scheduler::refresh() {
  {
    const std::lock_guard lock{state_->mutex};
    state_->is_stale = true;
  }
  state_->changed.notify_all();
}

TimeMs Scheduler::turn() { return state_->turn(); }

}  // namespace dbackup::host
