#include "worker/process_setup.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <csignal>

#include "base/error.hpp"
#include "worker/plugin/spawner.hpp"

namespace dbackup::host {
namespace {

constexpr int kLowestNumber =
    10;  // below are the numbers that plugins and tools expect to be theirs

UniqueFd move_away(int fd, const char* what) {
  UniqueFd moved{::fcntl(fd, F_DUPFD_CLOEXEC, kLowestNumber)};
  if (!moved) throw_errno(errno, std::string{"cannot use the descriptor of the "} + what);
  return moved;
}

}  // namespace

void limit_process(const WorkerRunOptions& options) {
  const rlimit no_core{0, 0};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0) throw_errno(errno, "cannot forbid core files");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    throw_errno(errno, "cannot give up privileges");
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) throw_errno(errno, "cannot follow the host's end");
  ::signal(SIGPIPE, SIG_IGN);
  // Each arena would keep some memory to itself; the pipeline's threads allocate little.
  ::mallopt(M_ARENA_MAX, 2);

  keep_address_space_limit_for_programs();
#ifndef DBACKUP_SANITIZED  // a sanitizer's shadow alone is larger than any limit
  if (options.address_space_bytes > 0) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_AS, &limit) != 0) throw_errno(errno, "cannot read the memory limit");
    // The hard limit stays: programs get the old one back.
    limit.rlim_cur = std::min<rlim_t>(options.address_space_bytes, limit.rlim_max);
    if (::setrlimit(RLIMIT_AS, &limit) != 0) throw_errno(errno, "cannot limit the memory");
  }
#else
  static_cast<void>(options);
#endif
}

WorkerDescriptors take_descriptors(const WorkerRunOptions& options) {
  WorkerDescriptors taken;
  taken.requests = move_away(0, "requests");
  taken.events = move_away(options.events_fd >= 0 ? options.events_fd : 1, "events");
  if (options.bulk_fd >= 0) taken.bulk = move_away(options.bulk_fd, "bulk bytes");
  // The handed-in numbers would leak into plugins and their tools.
  if (options.events_fd > 2) ::close(options.events_fd);
  if (options.bulk_fd > 2) ::close(options.bulk_fd);
  const UniqueFd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  if (!nothing || ::dup2(nothing.get(), 0) < 0) throw_errno(errno, "cannot open /dev/null");
  return taken;
}

}  // namespace dbackup::host
