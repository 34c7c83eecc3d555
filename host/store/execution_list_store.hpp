#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/nouns.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// Which runs: all that are set apply.
struct ExecutionFilter {
  std::string job_id = {}, status = {}, type = {};
  std::optional<TimeMs> from = {}, before = {};  ///< of the start
  std::vector<std::pair<std::string, std::string>> labels = {};
};

/// Where a list goes on: after this run.
struct ExecutionPosition {
  TimeMs started_at = 0;
  std::string id;
};

struct ExecutionSlice {
  std::optional<ExecutionPosition> after = {};
  int64_t offset = 0;
  int64_t limit = 50;
};

/// Lists of runs, newest start first, then by id. Every one walks an index in that order, so that it
/// costs what it shows; `offset` skips in the index, `after` does not even that.
class ExecutionListStore {
 public:
  /// Shows `body` each row as ExecutionStore::visit() does.
  void list(Session& session, const ExecutionFilter& filter, const ExecutionSlice& slice,
            const std::function<void(const Execution&, const std::string& labels)>& body) const;
  /// Runs that ended at that time or later, oldest end first; of more than `most` the last ones.
  void ended_since(Session& session, TimeMs time, int64_t most,
                   const std::function<void(const Execution&, const std::string& labels)>& body) const;
  /// How many fit, counted up to `most`; 0: to the end.
  int64_t count(Session& session, const ExecutionFilter& filter, int64_t most) const;
};

}  // namespace dbackup::host
