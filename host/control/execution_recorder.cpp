#include "control/execution_recorder.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/error.hpp"
#include "base/logging.hpp"
#include "control/stage_table.hpp"
#include "store/execution_store.hpp"

namespace dbackup::host {
namespace {

using Steady = std::chrono::steady_clock;

constexpr size_t kMaxLineBytes = 4096;
constexpr size_t kFullBatch = 256;
constexpr std::chrono::milliseconds kRhythm{200};
// A run that only stalls still shows that its host is alive.
constexpr std::chrono::seconds kHeartbeat{30};
constexpr std::chrono::milliseconds kFastestProgress{500};
constexpr std::chrono::seconds kSlowestProgress{15};

/// At most `limit` bytes, cut between characters.
std::string cut(const std::string& text, size_t limit) {
  if (text.size() <= limit) return text;
  size_t end = limit - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "...";
}

std::string known_level(const std::string& level) {
  if (level == "success" || level == "warning" || level == "error") return level;
  return level == "warn" ? "warning" : "info";
}
std::string known_type(const std::string& type) {
  return type == "command" || type == "storage" || type == "security" ? type : "general";
}

}  // namespace

/// What waits to be written of one run. Guarded by the writer's mutex.
struct ExecutionRecorder::Run {
  std::shared_ptr<RecorderWriter::State> writer;
  std::string id, type;
  std::string stage = "Initializing", detail;
  Steady::time_point stage_since = Steady::now();
  int64_t percent = 0, done = 0;
  bool is_progress_new = false;
  int64_t next_seq = 1, lines = 0;
  std::vector<LogEntry> waiting;
  uint64_t collected = 0, written = 0;  ///< changes so far
  Steady::time_point last_change = Steady::now();
  bool is_flushing = false;             ///< somebody waits for everything so far
  Steady::time_point last_write = Steady::now();
  Steady::time_point begun = Steady::now();
  std::string written_stage;

  /// Mere progress is written ever more rarely, so that what a run writes does not grow with its data.
  bool may_wait() const {
    const auto now = Steady::now();
    const auto pace = std::clamp<Steady::duration>((now - begun) / 40, kFastestProgress, kSlowestProgress);
    return waiting.empty() && stage == written_stage && now - last_write < pace;
  }
  void add(LogEntry entry);
  void changed_now();
};

struct RecorderWriter::State {
  const ControlContext& context;
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::shared_ptr<ExecutionRecorder::Run>> runs;
  bool is_stopping = false, is_urgent = false;
  std::thread thread;

  using Run = std::shared_ptr<ExecutionRecorder::Run>;

  void serve() noexcept {
    std::unique_lock lock{mutex};
    for (;;) {
      changed.wait_for(lock, kRhythm, [this] { return is_stopping || is_urgent; });
      is_urgent = false;
      const bool is_last = is_stopping;
      const std::vector<Run> all{runs.begin(), runs.end()};
      for (const Run& run : all) write(lock, run);
      if (is_last) return;
    }
  }

  void write(std::unique_lock<std::mutex>& lock, const Run& run) noexcept {
    const bool is_silent = Steady::now() - run->last_write > kHeartbeat;
    if (run->collected == run->written && !is_silent) return;
    if (!is_stopping && !is_silent && !run->is_flushing && run->may_wait()) return;
    std::vector<LogEntry> batch;
    batch.swap(run->waiting);
    const bool with_progress = run->is_progress_new || is_silent;
    run->is_progress_new = false;
    run->is_flushing = false;
    const std::string id = run->id, stage = run->stage, detail = run->detail;
    const int64_t percent = run->percent;
    const uint64_t upto = run->collected;
    lock.unlock();
    try {
      context.database.write([&](Session& s) {
        if (!batch.empty()) ExecutionStore{}.append_logs(s, id, batch);
        if (with_progress) ExecutionStore{}.set_progress(s, id, percent, stage, detail, context.clock.now_ms());
      });
      context.news->tell(id, RunNews::What::Progress);
    } catch (const std::exception& error) {
      // Lines are lost, the run goes on: its outcome is written by others, who fail loudly.
      log_error("the log of execution " + id + " cannot be written: " + error.what());
    }
    lock.lock();
    run->written = upto;
    run->written_stage = stage;
    run->last_write = Steady::now();
    changed.notify_all();
  }
};

RecorderWriter::RecorderWriter(const ControlContext& context)
    : state_{new State{.context = context}} {
  state_->thread = std::thread{[state = state_.get()]() noexcept { state->serve(); }};
}

RecorderWriter::~RecorderWriter() {
  {
    const std::lock_guard lock{state_->mutex};
    state_->is_stopping = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
}

std::optional<Steady::duration> RecorderWriter::quiet_for(const std::string& execution_id) const {
  const std::lock_guard lock{state_->mutex};
  for (const auto& run : state_->runs) {
    if (run->id == execution_id) return Steady::now() - run->last_change;
  }
  return std::nullopt;
}

void ExecutionRecorder::Run::add(LogEntry entry) {
  if (lines >= ExecutionStore::kMaxLogLines) return;
  if (++lines == ExecutionStore::kMaxLogLines) {
    entry = {.level = "warning", .type = "general",
             .message = "further lines are left out: a log holds " +
                        std::to_string(ExecutionStore::kMaxLogLines) + " lines"};
  }
  entry.seq = next_seq++;
  entry.at = writer->context.clock.now_ms();
  if (entry.stage.empty()) entry.stage = stage;
  waiting.push_back(std::move(entry));
  changed_now();
}

void ExecutionRecorder::Run::changed_now() {
  ++collected;
  last_change = Steady::now();
  if (waiting.size() >= kFullBatch && !writer->is_urgent) {
    writer->is_urgent = true;
    writer->changed.notify_all();
  }
}

ExecutionRecorder::ExecutionRecorder(RecorderWriter& writer, const std::string& execution_id,
                                     const std::string& type)
    : run_{std::make_shared<Run>()} {
  run_->writer = writer.state_;
  run_->id = execution_id;
  run_->type = type;
  // Lines that came before: "queued", or what an earlier process wrote.
  writer.state_->context.database.read([&](Session& s) {
    run_->next_seq = ExecutionStore{}.last_log_seq(s, execution_id) + 1;
  });
  run_->lines = run_->next_seq - 1;
  const std::lock_guard lock{writer.state_->mutex};
  writer.state_->runs.insert(run_);
}

ExecutionRecorder::~ExecutionRecorder() {
  flush();
  const std::lock_guard lock{run_->writer->mutex};
  run_->writer->runs.erase(run_);
}

void ExecutionRecorder::stage(const std::string& name) {
  const std::lock_guard lock{run_->writer->mutex};
  if (name == run_->stage) return;
  const auto lasted = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - run_->stage_since);
  run_->add({.level = "success",
             .type = "general",
             .stage = run_->stage,
             .message = run_->stage + " completed",
             .duration_ms = lasted.count()});
  run_->stage = name;
  run_->stage_since = Steady::now();
  run_->detail.clear();
  run_->percent = std::max(run_->percent, overall_progress(run_->type, name, 0, 0));
  run_->is_progress_new = true;
  run_->changed_now();
}

void ExecutionRecorder::progress(int64_t done, int64_t total, const std::string& detail) {
  const std::lock_guard lock{run_->writer->mutex};
  const auto before = run_->last_change;
  const int64_t percent = std::max(run_->percent, overall_progress(run_->type, run_->stage, done, total));
  std::string shown = detail.empty() ? bytes_text(done, total) : cut(detail, kMaxLineBytes);
  const bool is_same = percent == run_->percent && done == run_->done && shown == run_->detail;
  run_->percent = percent;
  run_->done = done;
  run_->detail = std::move(shown);
  run_->is_progress_new = true;
  run_->changed_now();
  if (is_same) run_->last_change = before;  // the same figures again are no progress
}

void ExecutionRecorder::log(const std::string& level, const std::string& type, const std::string& message,
                            const std::string& details) {
  LogEntry entry{.level = known_level(level), .type = known_type(type)};
  entry.message = cut(message, kMaxLineBytes);
  entry.details = cut(details, kMaxLineBytes - std::min(entry.message.size(), kMaxLineBytes - 8));
  const std::lock_guard lock{run_->writer->mutex};
  run_->add(std::move(entry));
}

void ExecutionRecorder::take(const protocol::Event& event) {
  using protocol::EventKind;
  try {
    if (event.kind == EventKind::Log) {
      log(get_string(event.data, "level").value_or("info"), get_string(event.data, "type").value_or("general"),
          get_string(event.data, "message").value_or(""), get_string(event.data, "details").value_or(""));
    } else if (event.kind == EventKind::Stage) {
      stage(require_string(event.data, "name"));
    } else if (event.kind == EventKind::Progress) {
      const int64_t done = get_int(event.data, "done", 0).value_or(0);
      const int64_t total = get_int(event.data, "total", 0).value_or(0);
      progress(done, total, get_string(event.data, "detail").value_or(""));
    }
  } catch (const Error& error) {
    log_warning(std::string("an event of a worker is left out: ") + error.what());
  }
}

void ExecutionRecorder::flush() {
  std::unique_lock lock{run_->writer->mutex};
  const uint64_t upto = run_->collected;
  run_->is_flushing = true;
  run_->writer->is_urgent = true;
  run_->writer->changed.notify_all();
  run_->writer->changed.wait(lock, [&] { return run_->written >= upto || run_->writer->is_stopping; });
}

std::string ExecutionRecorder::current_stage() const {
  const std::lock_guard lock{run_->writer->mutex};
  return run_->stage;
}

}  // namespace dbackup::host
