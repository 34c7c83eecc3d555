#include "worker/plugin/spawner.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

std::optional<rlimit> program_address_space;

/// All that the child needs, made before fork(): it may only make async-signal-safe calls.
struct Prepared {
  const SpawnOrder& order;
  std::vector<char*> argv, envp;
  pid_t parent = ::getpid();
  int failure_pipe = -1;

  explicit Prepared(const SpawnOrder& o) : order{o} {
    const auto fill = [](std::vector<char*>& out, const std::vector<std::string>& in) {
      for (const std::string& text : in) out.push_back(const_cast<char*>(text.c_str()));
      out.push_back(nullptr);
    };
    fill(argv, order.arguments);
    fill(envp, order.environment);
  }
};

[[noreturn]] void run_child(const Prepared& prepared) noexcept {
  const auto give_up = [&] {
    const int number = errno;
    [[maybe_unused]] const auto n = ::write(prepared.failure_pipe, &number, sizeof number);
    ::_exit(127);
  };
  const SpawnOrder& order = prepared.order;
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up();
  if (::getppid() != prepared.parent) ::_exit(127);  // the worker died in between
  if (::dup2(order.input, 0) < 0 || ::dup2(order.output, 1) < 0 || ::dup2(order.errors, 2) < 0) {
    give_up();
  }
  if (::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0) give_up();
  for (const int fd : order.inherited) {
    if (::fcntl(fd, F_SETFD, 0) != 0) give_up();
  }
  if (program_address_space) ::setrlimit(RLIMIT_AS, &*program_address_space);
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &usual, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(order.program.c_str(), prepared.argv.data(), prepared.envp.data());
  give_up();
  ::_exit(127);
}

SpawnedProgram fork_and_exec(const SpawnOrder& order) {
  Prepared prepared{order};
  Pipe failure = make_pipe();
  prepared.failure_pipe = failure.write_end.get();
  const pid_t pid = ::fork();
  if (pid < 0) throw_errno(errno, "cannot start \"" + order.program + "\"");
  if (pid == 0) run_child(prepared);
  failure.write_end.reset();
  int number = 0;
  ssize_t n = 0;
  do {
    n = ::read(failure.read_end.get(), &number, sizeof number);
  } while (n < 0 && errno == EINTR);
  if (n == static_cast<ssize_t>(sizeof number)) {
    ::waitpid(pid, nullptr, 0);
    throw_errno(number, "cannot start \"" + order.program + "\"");
  }
  SpawnedProgram program{.pid = pid,
                         .pidfd = UniqueFd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))}};
  if (!program.pidfd) {
    const int why = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    throw_errno(why, "cannot watch \"" + order.program + "\"");
  }
  return program;
}

/// The parent-death signal comes when the thread that forked ends, so all programs are started by
/// one thread that lives as long as the process.
class SpawnThread {
 public:
  SpawnThread() {
    std::thread{[this] { serve(); }}.detach();
  }

  SpawnedProgram start(const SpawnOrder& order) {
    std::packaged_task<SpawnedProgram()> task{[&order] { return fork_and_exec(order); }};
    std::future<SpawnedProgram> result = task.get_future();
    {
      const std::lock_guard lock{mutex_};
      orders_.push_back(std::move(task));
    }
    wake_.notify_one();
    return result.get();
  }

 private:
  void serve() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    for (;;) {
      std::unique_lock lock{mutex_};
      wake_.wait(lock, [this] { return !orders_.empty(); });
      auto task = std::move(orders_.front());
      orders_.pop_front();
      lock.unlock();
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::packaged_task<SpawnedProgram()>> orders_;
};

bool can_run(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

SpawnedProgram spawn(const SpawnOrder& order) {
  static auto& thread = *new SpawnThread;  // never destroyed: see the class
  return thread.start(order);
}

void keep_address_space_limit_for_programs() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0) program_address_space = limit;
}

std::string find_program(const std::string& name, const std::string& search_path) {
  if (name.empty()) return {};
  if (name.find('/') != std::string::npos) return can_run(name) ? name : std::string{};
  size_t begin = 0;
  while (begin <= search_path.size()) {
    size_t end = search_path.find(':', begin);
    if (end == std::string::npos) end = search_path.size();
    // An empty part would mean the current folder, which is nobody's wish here.
    if (end > begin) {
      std::string candidate = search_path.substr(begin, end - begin) + "/" + name;
      if (can_run(candidate)) return candidate;
    }
    begin = end + 1;
  }
  return {};
}

}  // namespace dbackup::host
