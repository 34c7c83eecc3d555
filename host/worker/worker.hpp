#pragma once

#include <cstdint>
#include <string>

namespace dbackup::host {

struct WorkerRunOptions {
  int events_fd = -1;                ///< --events-fd; -1: events go to the standard output
  int bulk_fd = -1;                  ///< --bulk-fd; where fetch writes. -1: fetch is refused
  uint64_t address_space_bytes = 0;  ///< --address-space; 0: no limit. Ignored under sanitizers
  std::string program_version;       ///< for the greeting
};

/// The data plane's process: reads requests from the standard input and runs them one after the
/// other until its end. Changes the whole process (limits, signals, descriptors 0 to 2), so it is
/// the last thing a program does: the caller hands the result to _exit(), never to exit(), because
/// the plugins' code stays loaded and may still run threads. 0: every request succeeded; 1: one
/// ended with an error; 2: the input was not understood, or nobody read the events.
int run_worker(const WorkerRunOptions& options);

}  // namespace dbackup::host
