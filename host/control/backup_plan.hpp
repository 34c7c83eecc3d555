#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "control/queue.hpp"
#include "model/nouns.hpp"
#include "protocol/message.hpp"

namespace dbackup::host {

class ExecutionRecorder;

/// All that a backup needs, looked up once at its start: later changes of the job do not reach it.
struct BackupPlan {
  Job job;
  AdapterConfig source;
  std::vector<AdapterConfig> destinations;  ///< in the order of the request's
  protocol::BackupRequest request;
};

/// Throws Error for whatever makes the run impossible; Unimplemented for jobs of a kind that is not
/// available yet. `job_out` is filled as soon as the job is known, for the notifications.
BackupPlan plan_backup(const RunParts& parts, const Execution& execution, ExecutionRecorder& recorder,
                       std::stop_token stop, std::optional<Job>& job_out, std::string& source_name);

}  // namespace dbackup::host
