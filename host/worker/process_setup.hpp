#pragma once

#include "base/unique_fd.hpp"
#include "worker/worker.hpp"

namespace dbackup::host {

/// Limits and signals of a worker, to be set before any plugin is loaded: no core files (they would
/// hold secrets), no new privileges, gone with the host, no SIGPIPE, the address-space limit.
void limit_process(const WorkerRunOptions& options);

/// The descriptors of a worker after it took them away from the plugins: all close-on-exec, at
/// numbers of 10 and above. Descriptor 0 is /dev/null from then on.
struct WorkerDescriptors {
  UniqueFd requests;
  UniqueFd events;
  UniqueFd bulk;  ///< empty when there is none
};
WorkerDescriptors take_descriptors(const WorkerRunOptions& options);

}  // namespace dbackup::host
