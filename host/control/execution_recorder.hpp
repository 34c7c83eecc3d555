#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "control/context.hpp"
#include "model/nouns.hpp"
#include "protocol/message.hpp"

namespace dbackup::host {

/// Writes what recorders collect: one thread for all runs, at most every 200 ms or when 256 lines wait.
class RecorderWriter {
 public:
  explicit RecorderWriter(const ControlContext& context);
  ~RecorderWriter();  ///< writes what is left

  /// How long a run has shown neither progress nor a line nor a new stage; nullopt when no recorder of it
  /// lives. [any-thread]
  std::optional<std::chrono::steady_clock::duration> quiet_for(const std::string& execution_id) const;

 private:
  friend class ExecutionRecorder;
  struct State;
  std::shared_ptr<State> state_;
};

/// Log, stage and progress of one run. Lines are appended, never rewritten; one line is at most 4 KiB,
/// a run at most 20,000 lines, the rest is dropped after one line that says so. [any-thread]
class ExecutionRecorder {
 public:
  /// `type`: Execution::type, which chooses the stages' ranges.
  ExecutionRecorder(RecorderWriter& writer, const std::string& execution_id, const std::string& type);
  ~ExecutionRecorder();  ///< flush()

  void stage(const std::string& name);
  /// `total` 0: unknown. Without `detail` it is shown as bytes.
  void progress(int64_t done, int64_t total, const std::string& detail = "");
  void log(const std::string& level, const std::string& type, const std::string& message,
           const std::string& details = "");
  void info(const std::string& message) { log("info", "general", message); }
  void warning(const std::string& message) { log("warning", "general", message); }
  void error(const std::string& message, const std::string& details = "") {
    log("error", "general", message, details);
  }
  /// Log, progress and stage events of a worker; others are ignored.
  void take(const protocol::Event& event);
  /// Returns once everything so far is in the store, or cannot get there.
  void flush();

  std::string current_stage() const;

 private:
  friend class RecorderWriter;
  struct Run;
  std::shared_ptr<Run> run_;
};

/// Progress of the whole run for a stage's `done` of `total`; `type` as Execution::type.
int64_t overall_progress(const std::string& type, const std::string& stage, int64_t done, int64_t total);

}  // namespace dbackup::host
