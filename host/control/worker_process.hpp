#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"

namespace dbackup::host {

struct WorkerProgram {
  /// The program to run; "": this one. It is opened when the launcher is made, so a binary replaced by
  /// an upgrade is not mixed with the running one.
  std::string path;
  /// After argv[0]. The launcher adds "--events-fd 3" and, when asked, "--bulk-fd 4".
  std::vector<std::string> arguments{"worker"};
};

/// How a worker ended.
struct WorkerExit {
  int status = 0;  ///< exit status; meaningless when `signal` is not 0
  int signal = 0;
  /// "exited with status 3", "was killed by signal 11 (SEGV)".
  std::string text() const;
};

/// One running worker: a process group of its own, its pipes and its pidfd. Not thread-safe. The destructor kills the group and reaps.
class WorkerProcess {
 public:
  struct Parts {
    pid_t pid = -1;
    UniqueFd pidfd, requests, events, output, bulk;
  };
  explicit WorkerProcess(Parts parts) noexcept : parts_{std::move(parts)} {}
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  /// Throws Error{Unavailable}. Once, by the launcher.
  void open_pidfd();

  pid_t pid() const noexcept { return parts_.pid; }
  int pidfd() const noexcept { return parts_.pidfd.get(); }       ///< readable once it has exited
  UniqueFd& requests() noexcept { return parts_.requests; }       ///< its stdin; non-blocking
  UniqueFd& events() noexcept { return parts_.events; }           ///< non-blocking
  UniqueFd& output() noexcept { return parts_.output; }           ///< its stdout and stderr; non-blocking
  UniqueFd take_bulk() noexcept { return std::move(parts_.bulk); }

  /// SIGKILL to the whole group; no harm once it is gone.
  void kill_group() noexcept;
  bool has_exited() const noexcept;
  /// Kills what is left of the group and reaps. Waits at most for the kernel.
  WorkerExit finish() noexcept;

 private:
  Parts parts_;
  bool is_reaped_ = false;
  WorkerExit exit_;
};

/// Starts workers from one long-lived thread: the parent-death signal of a child fires when the thread
/// that forked it ends. Environment: PATH, HOME, LANG, TZ, TMPDIR alone. [any-thread]
class WorkerLauncher {
 public:
  /// Opens the program; ignores SIGPIPE in this process, as everything that writes to workers must.
  explicit WorkerLauncher(WorkerProgram program = {});
  /// Ends the thread, and with it every worker that still runs.
  ~WorkerLauncher();
  WorkerLauncher(const WorkerLauncher&) = delete;
  WorkerLauncher& operator=(const WorkerLauncher&) = delete;

  /// Throws Error{Unavailable} when the system refuses another process or descriptor.
  std::unique_ptr<WorkerProcess> start(bool with_bulk = false);

 private:
  struct Thread;
  std::unique_ptr<Thread> thread_;
};

}  // namespace dbackup::host
