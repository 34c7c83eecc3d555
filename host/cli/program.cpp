#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/error.hpp"
#include "cli/command.hpp"

namespace dbackup::host {
namespace {

int exit_code_of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::InvalidArgument:
      return kExitUsage;
    case ErrorCode::Unavailable:
      return kExitUnavailable;
    default:
      return kExitFailure;
  }
}

}  // namespace

int run_program(int argc, char** argv) {
  CLI::App program{"DBackup: a self-hosted database-backup server", "dbackup"};
  program.require_subcommand(1);
  program.footer(
      "Exit codes: 0 done, 1 failed, 2 wrong arguments or configuration, 3 in use or not "
      "available.");
  CommandBody chosen;
  for (auto* add :
       {&add_serve_command, &add_key_command, &add_user_command, &add_plugin_command,
        &add_decrypt_command, &add_config_command, &add_version_command, &add_worker_command}) {
    (*add)(program, chosen);
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool is_help = error.get_exit_code() == 0;
    program.exit(error);
    return is_help ? kExitOk : kExitUsage;
  }
  try {
    return chosen ? chosen() : int{kExitUsage};
  } catch (const Error& error) {
    std::fprintf(stderr, "dbackup: %s\n", error.what());
    if (!error.detail().empty()) std::fprintf(stderr, "  detail: %s\n", error.detail().c_str());
    return exit_code_of(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dbackup: %s\n", error.what());
    return kExitFailure;
  }
}

}  // namespace dbackup::host
