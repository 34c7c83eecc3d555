#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/nouns.hpp"
#include "services/kept_answers.hpp"
#include "store/execution_list_store.hpp"

namespace dbackup::host {

class AuditLog;
class ControlPlane;

struct RunJob {
  std::string job_id;
  bool lock = false;                          ///< the finished backup is locked
  std::map<std::string, std::string> labels;  ///< kept in the execution and the sidecar
};

struct ExecutionView {
  Execution execution;
  std::vector<LogEntry> logs;
};

/// Starting, following and ending runs. [any-thread]
class ExecutionService {
 public:
  ExecutionService(ControlPlane& control, const AuditLog& audit)
      : control_{control}, audit_{audit} {}

  /// The row exists, in status Pending, when this returns its id. Throws Error{NotFound} for an
  /// unknown job, {Unimplemented} for one that this version cannot run.
  std::string run(const Principal& who, const RunJob& command);
  ExecutionView get(const std::string& id, bool with_logs);  ///< NotFound
  /// The same for polling, in place: see ExecutionStore::visit(). Throws Error{NotFound}.
  void visit(const std::string& id, bool with_logs,
             const std::function<void(const Execution&, const std::string& labels,
                                      const std::vector<LogEntry>& logs)>& body);
  /// What became of it, for people. Throws Error{NotFound}, {FailedPrecondition, "has_ended"}.
  std::string cancel(const Principal& who, const std::string& id);
  std::vector<Execution> history();  ///< the newest 100

  using Body = std::function<void(const Execution&, const std::string& labels)>;
  /// Shows `body` the rows of a page; where the next one begins, nullopt after the last.
  std::optional<ExecutionPosition> list(const ExecutionFilter& filter, ExecutionSlice slice,
                                        const Body& body);
  /// Runs under way, at most 500 that wait and 500 that run.
  void active(const Body& body);
  /// The last 1,000 runs that ended at that time or later, oldest end first.
  void ended_since(TimeMs time, const Body& body);
  /// Lines after number `after`, at most `limit`.
  std::vector<LogEntry> logs(const std::string& id, int64_t after, int64_t limit);
  /// Throws Error{NotFound}. Whether the run has ended.
  bool has_ended(const std::string& id);
  /// How many runs fit. Exact up to 2,000; beyond it a count may be some seconds old: see KeptAnswers.
  int64_t count(const ExecutionFilter& filter);

 private:
  ControlPlane& control_;
  const AuditLog& audit_;
  KeptAnswers<int64_t> totals_;
};

/// "Api" or "Manual": what started it.
std::string trigger_type(const Principal& who);
/// At most 16 labels; keys of 1 to 64, values of at most 256 bytes. Throws Error{InvalidArgument}.
void check_labels(const std::map<std::string, std::string>& labels);

}  // namespace dbackup::host
