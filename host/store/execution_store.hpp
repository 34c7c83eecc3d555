#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/nouns.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// How a run ends, or what of it changed.
struct ExecutionEnd {
  std::string status, error, path;
  int64_t size = 0;
  Json metadata = Json::object();
  TimeMs ended_at = 0;
};

struct LastRun {
  std::string job_id, status;
  TimeMs started_at = 0;
};

class ExecutionStore {
 public:
  std::optional<Execution> find(Session& session, const std::string& id) const;
  /// Shows the row to `body` as it is read: its JSON columns are not parsed, metadata and options left
  /// out, `labels` the stored text. For polling. False when there is no such row.
  bool visit(Session& session, const std::string& id,
             const std::function<void(const Execution&, const std::string& labels)>& body) const;
  std::vector<Execution> newest(Session& session, int64_t limit) const;
  /// The newest execution of each job that has any.
  std::vector<LastRun> last_runs(Session& session) const;
  std::optional<LastRun> last_run(Session& session, const std::string& job_id) const;
  void insert(Session& session, const Execution& execution) const;

  /// Claims the oldest Pending row for `host_id` if fewer than `limit` rows run: conditional, so two
  /// hosts never get the same row. nullopt: nothing to do.
  std::optional<Execution> claim_next(Session& session, const std::string& host_id, int64_t limit, TimeMs now) const;
  void set_progress(Session& session, const std::string& id, int64_t progress, const std::string& stage,
                    const std::string& detail, TimeMs now) const;
  /// Only a Running row of `host_id` ends; false when it was no longer that.
  bool end(Session& session, const std::string& id, const std::string& host_id, const ExecutionEnd& end) const;
  /// Pending → Cancelled at once; false when it was not Pending.
  bool cancel_pending(Session& session, const std::string& id, TimeMs now, const std::string& error) const;
  /// Running rows whose host is not `host_id` (single host: all that a dead process left).
  std::vector<Execution> running_elsewhere(Session& session, const std::string& host_id) const;
  bool end_abandoned(Session& session, const std::string& id, const ExecutionEnd& end) const;
  void set_metadata(Session& session, const std::string& id, const Json& metadata) const;
  int64_t count_running(Session& session) const;

  /// Appends lines; seq must continue. At most kMaxLogLines a run: further ones are dropped after one
  /// line that says so (the caller counts).
  void append_logs(Session& session, const std::string& execution_id, const std::vector<LogEntry>& entries) const;
  /// `limit` 0: all.
  std::vector<LogEntry> logs(Session& session, const std::string& execution_id, int64_t after_seq = 0,
                             int64_t limit = 0) const;
  int64_t last_log_seq(Session& session, const std::string& execution_id) const;

  static constexpr int64_t kMaxLogLines = 20'000;
};

}  // namespace dbackup::host
