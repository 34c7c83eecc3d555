#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "control/context.hpp"

namespace dbackup::host {

/// One row per system task; answers list them in this order.
struct SystemTaskRow {
  std::string_view id, label, description;
  std::string_view schedule;  ///< cron, unless changed
  bool run_on_startup, enabled;
  bool every_host = false;  ///< looks after its own process: not once over all hosts of the database
  std::string_view missing = "";  ///< what this version lacks for it; "": nothing
};
std::span<const SystemTaskRow> system_task_table() noexcept;
/// Throws Error{NotFound}.
const SystemTaskRow& require_system_task(const std::string& id);

/// What an operator may choose of a task, and when it ran.
struct SystemTaskSettings {
  bool enabled = false, run_on_startup = false;
  std::string schedule;
  std::optional<TimeMs> last_run_at;  ///< its start
};

/// A table whose old rows go by the task system.clean_audit_logs. Returns how many went.
struct Sweep {
  std::string rows;  ///< for people: "audit entries"
  std::function<int64_t(Session&, const Settings&, TimeMs now)> remove;
};

/// The work of the program itself, on schedules of its own. Work is added before start(). [any-thread]
class SystemTasks {
 public:
  /// Does the task; returns a sentence for the log, or "". May take long; stops early when asked.
  /// What it throws is logged.
  using Work = std::function<std::string(std::stop_token)>;

  explicit SystemTasks(const ControlContext& context);
  ~SystemTasks();  ///< stop()

  /// `id` must be in the table and without work yet; std::logic_error otherwise.
  void add(std::string_view id, Work work);
  void add_sweep(Sweep sweep);

  /// False when the task lacks something, or nobody has added its work.
  bool can_run(const SystemTaskRow& row) const;
  /// Throws Error{NotFound}, {Unimplemented} naming what is missing.
  void check_can_run(const std::string& id) const;
  SystemTaskSettings settings(Session& session, const SystemTaskRow& row) const;
  void change(Session& session, const SystemTaskRow& row, const SystemTaskSettings& to) const;

  /// Begins it in a thread of its own; false when it runs already. Throws as check_can_run().
  bool start_now(const std::string& id);
  /// Begins those that are wanted at the start of the process.
  void run_startup();
  /// Asks running work to stop and waits for it; nothing begins any more.
  void stop();
  /// True while the task's work runs.
  bool is_running(const std::string& id) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dbackup::host
