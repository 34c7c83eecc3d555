#include "worker/plugin/tool_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>

namespace dbackup::host {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPatience{200};  // between SIGTERM and SIGKILL
constexpr int kPipeSize = 1024 * 1024;
constexpr size_t kMostCollected = 1024 * 1024;

UniqueFd make_event() {
  UniqueFd event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!event) throw_errno(errno, "cannot make an event");
  return event;
}

void raise_event(int fd) noexcept {
  const uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(fd, &one, sizeof one);
}

void widen(int fd) noexcept { ::fcntl(fd, F_SETPIPE_SZ, kPipeSize); }  // a wish: users have a quota

void unblock(int fd) {
  if (::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) {
    throw_errno(errno, "cannot prepare a pipe");
  }
}

std::string environment_or(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? fallback : value;
}

bool has_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

/// The whole environment of a program: a short list, and what its plugin asked for.
std::map<std::string, std::string> environment_of(const ToolOrder& order) {
  std::map<std::string, std::string> all{
      {"PATH", default_search_path()}, {"HOME", environment_or("HOME", "/")}, {"LANG", "C.UTF-8"}};
  if (const std::string zone = environment_or("TZ", ""); !zone.empty()) all["TZ"] = zone;
  for (const auto& [name, value] : order.environment) {
    if (name.empty() || name.find('=') != std::string::npos || has_nul(name) || has_nul(value)) {
      throw Error(ErrorCode::InvalidArgument, "\"" + name + "\" cannot be an environment variable");
    }
    all[name] = value;
  }
  return all;
}

/// Reads what is there into `take`; false at the end of the file.
template <class Take>
bool drain(int fd, Take&& take) noexcept {
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    take(std::string_view{buffer.data(), static_cast<size_t>(n)});
  }
}

}  // namespace

std::string default_search_path() {
  return environment_or("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

ToolProcess::ToolProcess(CallContext& call, const ToolOrder& order)
    : Program{call},
      output_mode_{order.output},
      cancel_event_{make_event()},
      stop_event_{make_event()},
      error_output_{call.journal()} {
  call.cancel().throw_if_cancelled();
  if (order.argv.empty()) throw Error(ErrorCode::InvalidArgument, "no program to start");
  for (const std::string& argument : order.argv) {
    if (has_nul(argument)) throw Error(ErrorCode::InvalidArgument, "an argument has a NUL byte");
  }
  const auto environment = environment_of(order);
  SpawnOrder spawning{.program = find_program(order.argv.front(), environment.at("PATH")),
                      .arguments = order.argv,
                      .inherited = call.inherited_descriptors()};
  if (spawning.program.empty()) {
    throw Error(ErrorCode::NotFound, "cannot start \"" + order.argv.front() + "\": no such program",
                {}, "no_program");
  }
  for (const auto& [name, value] : environment) spawning.environment.push_back(name + "=" + value);

  UniqueFd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  if (!nothing) throw_errno(errno, "cannot open /dev/null");
  Pipe input, output, errors = make_pipe();
  spawning.input = spawning.output = nothing.get();
  spawning.errors = errors.write_end.get();
  if (order.input) {
    input = make_pipe();
    widen(input.write_end.get());
    unblock(input.write_end.get());
    spawning.input = input.read_end.get();
  }
  if (order.output != ToolOrder::Output::Discard) {
    output = make_pipe();
    if (order.output == ToolOrder::Output::Pipe) widen(output.read_end.get());
    unblock(output.read_end.get());
    spawning.output = output.write_end.get();
  }
  unblock(errors.read_end.get());
  program_ = spawn(spawning);
  input_ = std::move(input.write_end);
  output_ = std::move(output.read_end);
  errors_ = std::move(errors.read_end);
  watcher_ = std::thread{[this] { watch(); }};
  on_cancel_.emplace(call.cancel().stop_token(),
                     [event = cancel_event_.get()] { raise_event(event); });
}

ToolProcess::~ToolProcess() {
  if (!ending_) {
    signal(SIGKILL);
    siginfo_t info{};
    while (::waitid(P_PIDFD, static_cast<id_t>(program_.pidfd.get()), &info, WEXITED) != 0 &&
           errno == EINTR) {
    }
  }
  stop_watching();
}

void ToolProcess::signal(int number) noexcept {
  // By descriptor: the number may belong to somebody else by now.
  ::syscall(SYS_pidfd_send_signal, program_.pidfd.get(), number, nullptr, 0U);
}

void ToolProcess::await(int fd, short events) const {
  std::array<pollfd, 2> wanted{{{fd, events, 0}, {cancel_event_.get(), POLLIN, 0}}};
  while (::poll(wanted.data(), wanted.size(), -1) < 0) {
    if (errno != EINTR) throw_errno(errno, "cannot wait for a program");
  }
  call().cancel().throw_if_cancelled();
}

size_t ToolProcess::read(std::span<std::byte> buffer) {
  for (;;) {
    call().cancel().throw_if_cancelled();
    if (!output_ || output_mode_ != ToolOrder::Output::Pipe) return 0;
    const ssize_t n = ::read(output_.get(), buffer.data(), buffer.size());
    if (n >= 0) return static_cast<size_t>(n);
    if (errno == EAGAIN) {
      await(output_.get(), POLLIN);
    } else if (errno != EINTR) {
      throw_errno(errno, "cannot read from a program");
    }
  }
}

size_t ToolProcess::write(std::span<const std::byte> bytes) {
  for (;;) {
    call().cancel().throw_if_cancelled();
    if (!input_) throw Error(ErrorCode::Aborted, "the program's input is closed");
    const ssize_t n = ::write(input_.get(), bytes.data(), bytes.size());
    if (n >= 0) return static_cast<size_t>(n);
    if (errno == EPIPE) throw Error(ErrorCode::Aborted, "the program closed its input");
    if (errno == EAGAIN) {
      await(input_.get(), POLLOUT);
    } else if (errno != EINTR) {
      throw_errno(errno, "cannot write to a program");
    }
  }
}

Json ToolProcess::wait() {
  if (!ending_) {
    input_.reset();
    if (output_mode_ == ToolOrder::Output::Pipe) output_.reset();
    siginfo_t info{};
    while (::waitid(P_PIDFD, static_cast<id_t>(program_.pidfd.get()), &info, WEXITED) != 0) {
      if (errno != EINTR) throw_errno(errno, "cannot wait for a program");
    }
    Json ending{{"exit_code", nullptr}, {"signal", nullptr}};
    ending[info.si_code == CLD_EXITED ? "exit_code" : "signal"] = info.si_status;
    ending_ = std::move(ending);
    stop_watching();
    (*ending_)["stderr"] = error_output_.tail();
    if (output_mode_ == ToolOrder::Output::Collect) (*ending_)["stdout"] = collected_;
  }
  call().cancel().throw_if_cancelled();
  return *ending_;
}

void ToolProcess::stop_watching() noexcept {
  on_cancel_.reset();
  if (!watcher_.joinable()) return;
  raise_event(stop_event_.get());
  watcher_.join();
}

void ToolProcess::watch() noexcept {
  const bool collects = output_mode_ == ToolOrder::Output::Collect;
  // Negative numbers are ignored by poll(): that is how a descriptor leaves the set.
  std::array<pollfd, 4> wanted{{{errors_.get(), POLLIN, 0},
                                {collects ? output_.get() : -1, POLLIN, 0},
                                {cancel_event_.get(), POLLIN, 0},
                                {stop_event_.get(), POLLIN, 0}}};
  auto& [errors, output, cancel, stop] = wanted;
  const auto collect = [this](std::string_view text) {
    collected_.append(text.substr(0, kMostCollected - collected_.size()));
  };
  std::optional<SteadyClock::time_point> kill_at;
  for (;;) {
    int timeout = -1;
    if (kill_at) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*kill_at - SteadyClock::now());
      timeout = std::max(0, static_cast<int>(left.count()));
    }
    if (::poll(wanted.data(), wanted.size(), timeout) < 0 && errno != EINTR) break;
    if (errors.fd >= 0 &&
        !drain(errors.fd, [this](std::string_view text) { error_output_.take(text); })) {
      errors.fd = -1;
    }
    if (output.fd >= 0 && !drain(output.fd, collect)) output.fd = -1;
    if ((stop.revents & POLLIN) != 0) break;  // after the drains: what the program left is taken
    if (cancel.fd >= 0 && (cancel.revents & POLLIN) != 0) {
      signal(SIGTERM);
      cancel.fd = -1;
      kill_at = SteadyClock::now() + kPatience;
    }
    if (kill_at && SteadyClock::now() >= *kill_at) {
      signal(SIGKILL);
      kill_at.reset();
    }
  }
  error_output_.finish();
}

}  // namespace dbackup::host
