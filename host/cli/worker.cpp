#include "worker/worker.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.hpp"
#include "cli/version.hpp"

namespace dbackup::host {

void add_worker_command(CLI::App& program, CommandBody& chosen) {
  auto options = std::make_shared<WorkerRunOptions>();
  options->program_version = kProgramVersion;
  CLI::App* worker = program.add_subcommand(
      "worker", "run adapter operations read from standard input (started by the server; "
                "dbackup worker < request.json repeats one by hand)");
  worker->add_option("--events-fd", options->events_fd, "descriptor for events, in place of standard output");
  worker->add_option("--bulk-fd", options->bulk_fd, "descriptor for the bytes of a fetch");
  worker->add_option("--address-space", options->address_space_bytes, "limit in bytes");
  worker->callback([=, &chosen] {
    chosen = [=]() -> int {
      // Plugin code stays loaded and may run threads: nothing of it may be torn down.
      ::_exit(run_worker(*options));
    };
  });
}

}  // namespace dbackup::host
