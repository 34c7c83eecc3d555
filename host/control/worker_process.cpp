#include "control/worker_process.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

constexpr int kEventsFd = 3;
constexpr int kBulkFd = 4;
// The child moves its descriptors to 0 … 4: none of them may lie there before.
constexpr int kFirstSafeFd = 10;

[[noreturn]] void throw_no_process(int error_number, const std::string& what) {
  throw Error(ErrorCode::Unavailable, what + ": " + errno_text(error_number), {}, "no_process");
}

UniqueFd moved_up(UniqueFd fd) {
  const int copy = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstSafeFd);
  if (copy < 0) throw_no_process(errno, "cannot start a worker");
  return UniqueFd{copy};
}

void set_non_blocking(const UniqueFd& fd) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) < 0) {
    throw_no_process(errno, "cannot start a worker");
  }
}

/// A pipe whose `ours` end is non-blocking when asked for.
struct Channel {
  UniqueFd ours, theirs;
};
enum class Direction { ToChild, FromChild };
Channel make_channel(Direction direction, bool is_blocking = false) {
  Pipe pipe = make_pipe();
  Channel out;
  out.ours = moved_up(std::move(direction == Direction::ToChild ? pipe.write_end : pipe.read_end));
  out.theirs = moved_up(std::move(direction == Direction::ToChild ? pipe.read_end : pipe.write_end));
  if (!is_blocking) set_non_blocking(out.ours);
  return out;
}

/// The variables a worker may see; nothing else of our environment reaches it. The last is how an SSH
/// agent of this account is found.
std::vector<std::string> worker_environment() {
  std::vector<std::string> out;
  for (const char* name : {"PATH", "HOME", "LANG", "TZ", "TMPDIR", "SSH_AUTH_SOCK"}) {
    if (const char* value = std::getenv(name)) out.push_back(std::string(name) + "=" + value);
  }
  if (std::getenv("PATH") == nullptr) out.emplace_back("PATH=/usr/local/bin:/usr/bin:/bin");
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

struct Child {
  int program, in, out, events, bulk;
  char* const* argv;
  char* const* envp;
  pid_t parent;
};

/// Between fork and exec: async-signal-safe calls only, everything else was prepared before.
[[noreturn]] void run_child(const Child& child) noexcept {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != child.parent) ::_exit(127);  // it died in between
  ::dup2(child.in, 0);
  ::dup2(child.out, 1);
  ::dup2(child.out, 2);
  ::dup2(child.events, kEventsFd);
  if (child.bulk >= 0) ::dup2(child.bulk, kBulkFd);
  const unsigned first = child.bulk >= 0 ? kBulkFd + 1 : kEventsFd + 1;
  ::syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC);
  struct sigaction fallback {};
  fallback.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &fallback, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::syscall(SYS_execveat, child.program, "", child.argv, child.envp, AT_EMPTY_PATH);
  ::_exit(127);
}

}  // namespace

std::string WorkerExit::text() const {
  if (signal == 0) return "exited with status " + std::to_string(status);
  const char* name = ::sigabbrev_np(signal);
  return "was killed by signal " + std::to_string(signal) +
         (name != nullptr ? " (" + std::string(name) + ")" : "");
}

WorkerProcess::~WorkerProcess() { finish(); }

void WorkerProcess::kill_group() noexcept {
  // The leader is not reaped yet, so the group's number still is this worker's.
  if (!is_reaped_ && parts_.pid > 0) ::kill(-parts_.pid, SIGKILL);
}

bool WorkerProcess::has_exited() const noexcept {
  pollfd wanted{parts_.pidfd.get(), POLLIN, 0};
  return is_reaped_ || ::poll(&wanted, 1, 0) > 0;
}

WorkerExit WorkerProcess::finish() noexcept {
  if (is_reaped_ || parts_.pid <= 0) return exit_;
  kill_group();
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(parts_.pid), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  kill_group();  // what the leader started in its last moment
  while (::waitid(P_PID, static_cast<id_t>(parts_.pid), &info, WEXITED) < 0 && errno == EINTR) {
  }
  is_reaped_ = true;
  if (info.si_code == CLD_EXITED) {
    exit_.status = info.si_status;
  } else {
    exit_.signal = info.si_status;
  }
  return exit_;
}

struct WorkerLauncher::Thread {
  struct Order {
    bool with_bulk = false;
    std::unique_ptr<WorkerProcess> process;
    std::exception_ptr failure;
    bool is_done = false;
  };

  UniqueFd program;
  std::vector<std::string> arguments;
  std::vector<std::string> environment = worker_environment();

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Order*> orders;
  bool is_stopping = false;
  std::thread thread;

  void serve() noexcept {
    sigset_t all;
    sigfillset(&all);
    // No handler of ours may run in a child before its exec.
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    std::unique_lock lock{mutex};
    for (;;) {
      changed.wait(lock, [this] { return is_stopping || !orders.empty(); });
      if (orders.empty()) return;
      Order* order = orders.front();
      orders.erase(orders.begin());
      lock.unlock();
      try {
        order->process = launch(order->with_bulk);
      } catch (...) {
        order->failure = std::current_exception();
      }
      lock.lock();
      order->is_done = true;
      changed.notify_all();
    }
  }

  std::unique_ptr<WorkerProcess> launch(bool with_bulk) {
    Channel requests = make_channel(Direction::ToChild);
    Channel events = make_channel(Direction::FromChild);
    Channel output = make_channel(Direction::FromChild);
    Channel bulk;
    if (with_bulk) bulk = make_channel(Direction::FromChild, /*is_blocking=*/true);

    std::vector<std::string> words{"dbackup"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    words.insert(words.end(), {"--events-fd", std::to_string(kEventsFd)});
    if (with_bulk) words.insert(words.end(), {"--bulk-fd", std::to_string(kBulkFd)});
    std::vector<char*> argv = pointers(words);
    std::vector<char*> envp = pointers(environment);
    const Child child{program.get(),       requests.theirs.get(), output.theirs.get(),
                      events.theirs.get(), bulk.theirs.get(),     argv.data(),
                      envp.data(),         ::getpid()};
    const pid_t pid = ::fork();
    if (pid < 0) throw_no_process(errno, "cannot start a worker");
    if (pid == 0) run_child(child);
    ::setpgid(pid, pid);  // on both sides: no race
    WorkerProcess::Parts parts;
    parts.pid = pid;
    parts.requests = std::move(requests.ours);
    parts.events = std::move(events.ours);
    parts.output = std::move(output.ours);
    parts.bulk = std::move(bulk.ours);
    auto process = std::make_unique<WorkerProcess>(std::move(parts));
    process->open_pidfd();  // throws: the destructor kills and reaps
    return process;
  }
};

void WorkerProcess::open_pidfd() {
  parts_.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, parts_.pid, 0)));
  if (!parts_.pidfd) throw_no_process(errno, "cannot watch a worker");
}

WorkerLauncher::WorkerLauncher(WorkerProgram program) : thread_{std::make_unique<Thread>()} {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, nullptr);
  const std::string path = program.path.empty() ? "/proc/self/exe" : program.path;
  UniqueFd opened{::open(path.c_str(), O_PATH | O_CLOEXEC)};
  if (!opened) throw_errno(errno, "cannot open the worker's program \"" + path + "\"");
  thread_->program = moved_up(std::move(opened));
  thread_->arguments = std::move(program.arguments);
  thread_->thread = std::thread([state = thread_.get()] { state->serve(); });
}

WorkerLauncher::~WorkerLauncher() {
  {
    const std::lock_guard lock{thread_->mutex};
    thread_->is_stopping = true;
  }
  thread_->changed.notify_all();
  thread_->thread.join();
}

std::unique_ptr<WorkerProcess> WorkerLauncher::start(bool with_bulk) {
  Thread::Order order{.with_bulk = with_bulk};
  std::unique_lock lock{thread_->mutex};
  if (thread_->is_stopping) throw Error(ErrorCode::Unavailable, "the server is stopping");
  thread_->orders.push_back(&order);
  thread_->changed.notify_all();
  thread_->changed.wait(lock, [&] { return order.is_done; });
  lock.unlock();
  if (order.failure) std::rethrow_exception(order.failure);
  return std::move(order.process);
}

}  // namespace dbackup::host
