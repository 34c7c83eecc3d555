#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace dbackup::host {

/// Exit codes, for scripts. Usage errors are told apart from failures of the work itself.
enum ExitCode : int {
  kExitOk = 0,
  kExitFailure = 1,
  kExitUsage = 2,
  kExitUnavailable = 3,  ///< something else holds the data directory, the port, …
};

/// What a command does once its arguments are parsed; the result is the exit code. Throws Error.
using CommandBody = std::function<int()>;

/// Each file of this folder adds one command to the program; `chosen` is set when it was named.
void add_serve_command(CLI::App& program, CommandBody& chosen);
void add_worker_command(CLI::App& program, CommandBody& chosen);
void add_key_command(CLI::App& program, CommandBody& chosen);
void add_user_command(CLI::App& program, CommandBody& chosen);
void add_plugin_command(CLI::App& program, CommandBody& chosen);
void add_decrypt_command(CLI::App& program, CommandBody& chosen);
void add_config_command(CLI::App& program, CommandBody& chosen);
void add_version_command(CLI::App& program, CommandBody& chosen);

/// Parses the arguments and runs one command; errors go to standard error with a hint.
int run_program(int argc, char** argv);

}  // namespace dbackup::host
