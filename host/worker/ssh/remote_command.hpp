#pragma once

#include <string>
#include <vector>

#include "worker/ssh/ssh_session.hpp"

namespace dbackup::host::ssh {

struct CommandResult {
  int exit_code = -1;   ///< -1: a signal ended it
  std::string output;   ///< the first MiB
  std::string errors;   ///< the first 16 KiB
  bool is_cut = false;  ///< there was more output
};

/// Runs a program without input there to its end. Throws Error{NotFound} when it is not there,
/// {Unavailable} when the connection was lost, the cause of a cancellation.
CommandResult run_command(Session& session, const std::vector<std::string>& argv,
                          const CancelToken& cancel);

}  // namespace dbackup::host::ssh
