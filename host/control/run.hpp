#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/error.hpp"
#include "control/queue.hpp"
#include "model/nouns.hpp"
#include "store/execution_store.hpp"

namespace dbackup::host {

/// How a run is made to end before its time, and what the row shall say then.
struct RunStop {
  std::stop_token token;
  std::function<std::string()> reason;  ///< "cancelled by admin"; valid once the token is set
  std::stop_token server;               ///< the server stops: nothing may take long any more
  std::function<std::string()> status = {};  ///< how it ends then; missing: "Cancelled"
};

/// Each runs one claimed execution to its end: the row is no longer Running when they return, unless the
/// store itself failed. They never throw for what the run meets.
void run_backup(const RunParts& parts, const Execution& execution, const RunStop& stop);
void run_restore(const RunParts& parts, const Execution& execution, const RunStop& stop);
void run_verification(const RunParts& parts, const Execution& execution, const RunStop& stop);

/// Ends a claimed row that could not run. Tries again for a while when the store is busy.
void end_run(const RunParts& parts, const Execution& execution, const ExecutionEnd& end,
             const std::function<void(Session&)>& together = {});

/// Status and text for what ended a run.
ExecutionEnd end_of_failure(const Error& error, const RunStop& stop, const std::string& path);

}  // namespace dbackup::host
