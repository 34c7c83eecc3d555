// The worker as a program of its own, for tests: dbackup_worker_tool [--events-fd N] [--bulk-fd N]
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "worker/worker.hpp"

int main(int argc, char** argv) {
  dbackup::host::WorkerRunOptions options{.program_version = "test"};
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--events-fd") options.events_fd = std::atoi(argv[i + 1]);
    if (name == "--bulk-fd") options.bulk_fd = std::atoi(argv[i + 1]);
    if (name == "--address-space")
      options.address_space_bytes = std::strtoull(argv[i + 1], nullptr, 10);
  }
  try {
    ::_exit(dbackup::host::run_worker(options));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    ::_exit(3);
  }
}
