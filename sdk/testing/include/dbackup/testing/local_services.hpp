#pragma once

/// The host services for tests: programs run on this machine, endpoints are dialled as they are.
/// Real processes and pipes, so an adapter that runs tools can be checked without a host.

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <dbackup/config.hpp>
#include <dbackup/testing/fakes.hpp>

namespace dbackup::testing {
namespace detail {

/// A program started by a test. One thread may write while another reads.
class LocalProcess {
 public:
  static dbackup_status start(void* ctx, dbackup_str text, void** process) noexcept {
    *process = nullptr;
    auto& call = *static_cast<FakeCall*>(ctx);
    try {
      const Config request = Config::parse(view(text));
      auto made = std::make_unique<LocalProcess>(call);
      const int number = made->spawn(request);
      if (number == 0) {
        *process = made.release();
        return DBACKUP_OK;
      }
      return number == ENOENT ? DBACKUP_NOT_FOUND : DBACKUP_FAILED_PRECONDITION;
    } catch (const std::exception&) {
      return DBACKUP_INVALID_ARGUMENT;
    }
  }
  static int64_t read(void* process, void* buffer, uint64_t size) noexcept {
    auto& me = *static_cast<LocalProcess*>(process);
    for (;;) {
      if (me.must_end()) return -DBACKUP_CANCELLED;
      const ssize_t n = ::read(me.out_, buffer, size);
      if (n >= 0) return n;
      if (errno != EAGAIN && errno != EINTR) return -DBACKUP_INTERNAL;
      me.wait_for({me.out_, POLLIN, 0});
    }
  }
  static int64_t write(void* process, const void* data, uint64_t size) noexcept {
    auto& me = *static_cast<LocalProcess*>(process);
    for (;;) {
      if (me.must_end()) return -DBACKUP_CANCELLED;
      const ssize_t n = ::write(me.in_, data, size);
      if (n >= 0) return n;
      if (errno == EPIPE || errno == EBADF) return -DBACKUP_ABORTED;
      if (errno != EAGAIN && errno != EINTR) return -DBACKUP_INTERNAL;
      me.wait_for({me.in_, POLLOUT, 0});
    }
  }
  static void close_stdin(void* process) noexcept {
    close_fd(static_cast<LocalProcess*>(process)->in_);
  }
  static dbackup_status wait(void* process, const dbackup_item_sink* sink) noexcept {
    auto& me = *static_cast<LocalProcess*>(process);
    close_fd(me.in_);
    if (!me.collect_) close_fd(me.out_);
    std::string output;
    int status = 0;
    bool cancelled = false;
    while (::waitpid(me.pid_, &status, WNOHANG) == 0) {
      if (!cancelled && me.call_.call().is_cancelled()) {
        cancelled = true;
        ::kill(-me.pid_, SIGKILL);
      }
      me.collect_output(output);
      me.wait_for({me.pidfd_, POLLIN, 0});
    }
    ::kill(-me.pid_, SIGKILL);  // whatever the program left running keeps no pipe open
    me.pid_ = -1;
    me.collect_output(output);
    me.drain_errors();
    if (cancelled) return DBACKUP_CANCELLED;
    try {
      Json item{
          {"stdout", output}, {"stderr", me.errors_}, {"exit_code", nullptr}, {"signal", nullptr}};
      if (WIFEXITED(status)) item["exit_code"] = WEXITSTATUS(status);
      if (WIFSIGNALED(status)) item["signal"] = WTERMSIG(status);
      const std::string text = to_text(item);
      return sink->item(sink->ctx, borrow(text));
    } catch (const std::exception&) {
      return DBACKUP_INTERNAL;
    }
  }
  static void release(void* process) noexcept { delete static_cast<LocalProcess*>(process); }

  explicit LocalProcess(FakeCall& call) noexcept : call_{call} {}
  LocalProcess(const LocalProcess&) = delete;
  LocalProcess& operator=(const LocalProcess&) = delete;
  ~LocalProcess() {
    if (pid_ > 0) {
      ::kill(-pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    for (int* fd : {&in_, &out_, &err_, &pidfd_}) close_fd(*fd);
  }

 private:
  /// A cancelled operation ends at once, one that speaks with a subsystem a little later: it may
  /// take back what it made there.
  bool must_end() noexcept {
    if (!call_.call().is_cancelled()) return false;
    using Ticks = std::chrono::steady_clock::duration;
    const Ticks now = std::chrono::steady_clock::now().time_since_epoch();
    Ticks::rep none = 0;
    told_at_.compare_exchange_strong(none, now.count());
    return now >= Ticks{told_at_.load()} + patience_;
  }
  static void close_fd(int& fd) noexcept {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }

  int spawn(const Config& request) {
    std::vector<std::string> argv = request.list("argv");
    // As the SSH server would start it, without the SSH.
    if (request.text("subsystem") == "sftp") {
      argv = {"/usr/lib/openssh/sftp-server"};
      patience_ = std::chrono::milliseconds{300};
    }
    collect_ = request.text("stdout") == "collect";
    std::vector<std::string> environment{"LANG=C.UTF-8"};
    for (const char* name : {"PATH", "HOME", "TZ", "TMPDIR"}) {
      if (const char* value = std::getenv(name))
        environment.push_back(std::string{name} + "=" + value);
    }
    const Config wanted = request.object("env");
    for (const auto& item : wanted.json().items()) {
      environment.push_back(item.key() + "=" + item.value().get<std::string>());
    }
    std::array<int, 2> in{-1, -1}, out{-1, -1}, err{-1, -1};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0 ||
        ::pipe2(err.data(), O_CLOEXEC) != 0) {
      return errno;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (request.text("stdin") == "pipe") {
      posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    }
    if (request.text("stdout") == "discard") {
      posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    } else {
      posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    }
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    std::vector<char*> arguments = pointers(argv);
    std::vector<char*> variables = pointers(environment);
    const int number = argv.empty()
                           ? EINVAL
                           : ::posix_spawnp(&pid_, argv.front().c_str(), &actions, &attributes,
                                            arguments.data(), variables.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    ::close(in[0]), ::close(out[1]), ::close(err[1]);
    in_ = in[1], out_ = out[0], err_ = err[0];
    if (number != 0) {
      pid_ = -1;
      return number;
    }
    pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (request.text("stdin") != "pipe") close_fd(in_);
    for (const int fd : {in_, out_, err_}) {
      if (fd >= 0) ::fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    return 0;
  }

  static std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (const auto& text : texts) out.push_back(const_cast<char*>(text.c_str()));
    out.push_back(nullptr);
    return out;
  }

  /// Waits until `what` or standard error has something, or it is time to ask for cancellation
  /// again.
  void wait_for(pollfd what) noexcept {
    constexpr int kAskAgainMs = 20;
    std::array<pollfd, 2> both{what, pollfd{err_, POLLIN, 0}};
    if (::poll(both.data(), both.size(), kAskAgainMs) > 0 && both[1].revents != 0) drain_errors();
  }
  void collect_output(std::string& output) {
    constexpr size_t kMost = 1024 * 1024;
    std::array<char, 65536> block;
    for (ssize_t n; out_ >= 0 && (n = ::read(out_, block.data(), block.size())) > 0;) {
      output.append(block.data(), std::min(static_cast<size_t>(n), kMost - output.size()));
    }
  }
  void drain_errors() noexcept {
    constexpr size_t kMost = 16 * 1024;
    std::array<char, 4096> block;
    const std::scoped_lock lock{errors_mutex_};
    ssize_t n = 0;
    while (err_ >= 0 && (n = ::read(err_, block.data(), block.size())) > 0) {
      errors_.append(block.data(), static_cast<size_t>(n));
      if (errors_.size() > kMost) errors_.erase(0, errors_.size() - kMost);
    }
    if (n == 0) close_fd(err_);
  }

  FakeCall& call_;
  pid_t pid_ = -1;
  int pidfd_ = -1;
  int in_ = -1;
  int out_ = -1;
  int err_ = -1;
  bool collect_ = false;
  std::chrono::milliseconds patience_{0};
  std::atomic<std::chrono::steady_clock::rep> told_at_ = 0;
  std::mutex errors_mutex_;
  std::string errors_;
};

struct LocalSideFile {
  std::string path;
};

inline dbackup_status local_side_file(void*, dbackup_str content, void** file,
                                      dbackup_str* path) noexcept {
  const char* folder = std::getenv("TMPDIR");
  std::string name = std::string{folder != nullptr ? folder : "/tmp"} + "/dbackup-side-XXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);  // made 0600
  if (fd < 0) return DBACKUP_FAILED_PRECONDITION;
  const bool whole = ::write(fd, content.data, content.size) == static_cast<ssize_t>(content.size);
  ::close(fd);
  auto* made = new LocalSideFile{std::move(name)};
  *file = made;
  *path = borrow(made->path);
  return whole ? DBACKUP_OK : DBACKUP_RESOURCE_EXHAUSTED;
}

inline dbackup_status local_staging_file(void* ctx, dbackup_str, void** file,
                                         dbackup_str* path) noexcept {
  return local_side_file(ctx, {nullptr, 0}, file, path);
}

inline void release_local_side_file(void* file) noexcept {
  const std::unique_ptr<LocalSideFile> gone{static_cast<LocalSideFile*>(file)};
  ::unlink(gone->path.c_str());
}

inline dbackup_status local_which(void*, dbackup_str text, const dbackup_item_sink* sink) noexcept {
  try {
    const char* raw = std::getenv("PATH");
    const std::string path = raw != nullptr ? raw : "/usr/bin:/bin";
    for (const std::string& name : Config::parse(view(text)).list("names")) {
      for (size_t start = 0; start <= path.size();) {
        const size_t colon = std::min(path.find(':', start), path.size());
        const std::string found =
            name.starts_with('/') ? name : path.substr(start, colon - start) + "/" + name;
        start = colon + 1;
        if (::access(found.c_str(), X_OK) != 0) continue;
        const std::string item = to_text({{"path", found}});
        return sink->item(sink->ctx, borrow(item));
      }
    }
    return DBACKUP_NOT_FOUND;
  } catch (const std::exception&) {
    return DBACKUP_INVALID_ARGUMENT;
  }
}

inline dbackup_status local_reach(void*, dbackup_str request, const dbackup_item_sink* sink,
                                  void** endpoint) noexcept {
  *endpoint = nullptr;
  return sink->item(sink->ctx, request);  // host and port are what they are
}

inline constexpr dbackup_host_exec kLocalExec{
    sizeof(dbackup_host_exec),  &LocalProcess::start, &LocalProcess::read,    &LocalProcess::write,
    &LocalProcess::close_stdin, &LocalProcess::wait,  &LocalProcess::release, &local_side_file,
    &release_local_side_file,   &local_which,         &local_staging_file};
inline constexpr dbackup_host_reach kLocalReach{sizeof(dbackup_host_reach), &local_reach,
                                                [](void*) noexcept {}};

}  // namespace detail

/// Offers programs and connections of this machine on `call`. The process ignores SIGPIPE from then
/// on, as the host does.
inline void offer_local_services(FakeCall& call) {
  std::signal(SIGPIPE, SIG_IGN);
  call.offer(DBACKUP_EXT_HOST_EXEC, &detail::kLocalExec);
  call.offer(DBACKUP_EXT_HOST_REACH, &detail::kLocalReach);
}

}  // namespace dbackup::testing
