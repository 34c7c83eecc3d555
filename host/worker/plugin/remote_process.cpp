#include "worker/plugin/remote_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "worker/ssh/command_line.hpp"
#include "worker/ssh/ssh_session.hpp"

namespace dbackup::host {
namespace {

constexpr int kPipeSize = 1024 * 1024;
constexpr size_t kMostCollected = 1024 * 1024;
constexpr std::chrono::milliseconds kTakingBack{300};  // of a subsystem, after a cancellation
constexpr int kSlice = 50;                             // ms
constexpr std::chrono::seconds kEnding{3};  // for the other side to say that it has ended

struct SignalName {
  std::string_view name;
  int number;
};
constexpr std::array kSignals{
    SignalName{"ABRT", SIGABRT}, SignalName{"ALRM", SIGALRM}, SignalName{"BUS", SIGBUS},
    SignalName{"FPE", SIGFPE},   SignalName{"HUP", SIGHUP},   SignalName{"ILL", SIGILL},
    SignalName{"INT", SIGINT},   SignalName{"KILL", SIGKILL}, SignalName{"PIPE", SIGPIPE},
    SignalName{"QUIT", SIGQUIT}, SignalName{"SEGV", SIGSEGV}, SignalName{"TERM", SIGTERM},
    SignalName{"USR1", SIGUSR1}, SignalName{"USR2", SIGUSR2}};

/// This machine's number of a signal's name; SIGKILL for one we do not know.
int signal_number(std::string_view name) {
  for (const auto& known : kSignals) {
    if (known.name == name) return known.number;
  }
  return SIGKILL;
}

void prepare(const Pipe& pipe) {
  for (const UniqueFd* fd : {&pipe.read_end, &pipe.write_end}) {
    if (::fcntl(fd->get(), F_SETFL, ::fcntl(fd->get(), F_GETFL) | O_NONBLOCK) != 0) {
      throw_errno(errno, "cannot prepare a pipe");
    }
  }
  ::fcntl(pipe.read_end.get(), F_SETPIPE_SZ, kPipeSize);  // a wish: users have a quota
}

std::map<std::string, std::string> environment_of(const ToolOrder& order) {
  std::map<std::string, std::string> all{{"LANG", "C.UTF-8"}};
  for (const auto& [name, value] : order.environment) all[name] = value;
  return all;
}

}  // namespace

struct RemoteProcess::Plan {
  ssh::ChannelOrder::Kind kind = ssh::ChannelOrder::Kind::Program;
  std::string target, name;
  bool input = false;
  ToolOrder::Output output = ToolOrder::Output::Pipe;
};

RemoteProcess::Plan RemoteProcess::plan_program(CallContext&, ssh::Session& session,
                                                const ToolOrder& order) {
  Plan plan{.input = order.input, .output = order.output};
  if (order.input) plan.name = session.new_name();
  return plan;
}

RemoteProcess::RemoteProcess(CallContext& call, ssh::Session& session, const ToolOrder& order)
    : RemoteProcess{call, session.pump(call.cancel()),
                    order.input ? session.keeper(call.cancel()) : nullptr, [&] {
                      Plan plan = plan_program(call, session, order);
                      plan.target = order.input
                                        ? ssh::fed_program_command(
                                              order.argv, environment_of(order),
                                              session.keeper(call.cancel())->path(plan.name))
                                        : ssh::program_command(order.argv, environment_of(order));
                      return plan;
                    }()} {}

RemoteProcess::RemoteProcess(CallContext& call, ssh::Session& session, const std::string& subsystem)
    : RemoteProcess{
          call, session.pump(call.cancel()), nullptr,
          Plan{.kind = ssh::ChannelOrder::Kind::Subsystem, .target = subsystem, .input = true}} {}

RemoteProcess::RemoteProcess(CallContext& call, std::shared_ptr<ssh::Pump> pump,
                             std::shared_ptr<ssh::Keeper> keeper, Plan plan)
    : Program{call},
      pump_{std::move(pump)},
      keeper_{std::move(keeper)},
      name_{std::move(plan.name)},
      output_mode_{plan.output},
      is_subsystem_{plan.kind == ssh::ChannelOrder::Kind::Subsystem},
      cancel_event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)},
      error_output_{call.journal()} {
  if (!cancel_event_) throw_errno(errno, "cannot make an event");
  const bool is_program = plan.kind == ssh::ChannelOrder::Kind::Program;
  ssh::ChannelOrder order{
      .kind = plan.kind, .target = std::move(plan.target), .announces = is_program};
  if (plan.input) {
    Pipe pipe = make_pipe();
    prepare(pipe);
    order.input = std::move(pipe.read_end);
    input_ = std::move(pipe.write_end);
  }
  if (output_mode_ == ToolOrder::Output::Pipe) {
    Pipe pipe = make_pipe();
    prepare(pipe);
    order.output = std::move(pipe.write_end);
    output_ = std::move(pipe.read_end);
  } else if (output_mode_ == ToolOrder::Output::Collect) {
    order.on_output = [this](std::string_view text) {
      collected_.append(text.substr(0, kMostCollected - collected_.size()));
    };
  }
  order.on_errors = [this](std::string_view text) { error_output_.take(text); };
  channel_ = std::make_shared<ssh::Channel>(std::move(order));
  pump_->add(channel_);
  try {
    channel_->wait_ready(call.cancel());
  } catch (...) {
    pump_->close(channel_);
    error_output_.finish();
    throw;
  }
  on_cancel_.emplace(call.cancel().stop_token(), [this] {
    const uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(cancel_event_.get(), &one, sizeof one);
    if (!is_subsystem_) stop();
  });
}

RemoteProcess::~RemoteProcess() {
  on_cancel_.reset();
  end();
}

/// Ends the program, soon.
void RemoteProcess::stop() noexcept {
  if (keeper_) {
    keeper_->stop(name_);
  } else {
    try {
      pump_->terminate(channel_);
    } catch (...) {  // no memory: it ends with the channel
    }
  }
}

/// After this the program is gone and nothing here is used by the pump.
void RemoteProcess::end() noexcept {
  try {
    if (!channel_->is_closed()) {
      output_.reset();
      if (keeper_) keeper_->stop(name_);
      input_.reset();
      if (!keeper_) pump_->end_input(channel_);  // its SIGKILL
      channel_->wait_closed(ssh::Channel::Clock::now() + kEnding);
    }
    pump_->close(channel_);
    if (keeper_ && !forgotten_) {
      keeper_->confirm(name_, 0);  // whoever still waits for it
      keeper_->forget(name_);
    }
    forgotten_ = true;
  } catch (...) {  // no memory: the program ends with the connection
  }
}

/// A cancelled program ends at once. With a subsystem a plugin may speak a little longer, to take
/// back what it made on the other side.
void RemoteProcess::check_cancelled() {
  if (!call().cancel().is_cancelled()) return;
  if (is_subsystem_) {
    using Clock = std::chrono::steady_clock;
    const Clock::duration now = Clock::now().time_since_epoch();
    Clock::rep none = 0;
    cancelled_at_.compare_exchange_strong(none, now.count());
    if (now < Clock::duration{cancelled_at_.load()} + kTakingBack) return;
  }
  call().cancel().throw_if_cancelled();
}

void RemoteProcess::await(int fd, short events) {
  check_cancelled();
  const bool is_cancelled = call().cancel().is_cancelled();
  std::array<pollfd, 2> wanted{{{fd, events, 0}, {cancel_event_.get(), POLLIN, 0}}};
  const nfds_t count = is_cancelled ? 1 : wanted.size();  // the event stays
  while (::poll(wanted.data(), count, is_cancelled ? kSlice : -1) < 0) {
    if (errno != EINTR) throw_errno(errno, "cannot wait for a program");
  }
  check_cancelled();
}

size_t RemoteProcess::read(std::span<std::byte> buffer) {
  for (;;) {
    check_cancelled();
    if (!output_) return 0;
    const ssize_t n = ::read(output_.get(), buffer.data(), buffer.size());
    if (n > 0) return static_cast<size_t>(n);
    if (n == 0) {
      channel_->throw_if_failed();  // a lost connection is no end
      return 0;
    }
    if (errno == EAGAIN) {
      await(output_.get(), POLLIN);
    } else if (errno != EINTR) {
      throw_errno(errno, "cannot read from a program");
    }
  }
}

size_t RemoteProcess::write(std::span<const std::byte> bytes) {
  for (;;) {
    check_cancelled();
    if (!input_) throw Error(ErrorCode::Aborted, "the program's input is closed");
    const ssize_t n = ::write(input_.get(), bytes.data(), bytes.size());
    if (n >= 0) {
      written_ += static_cast<uint64_t>(n);
      return static_cast<size_t>(n);
    }
    if (errno == EPIPE) {
      channel_->throw_if_failed();
      throw Error(ErrorCode::Aborted, "the program closed its input");
    }
    if (errno == EAGAIN) {
      await(input_.get(), POLLOUT);
    } else if (errno != EINTR) {
      throw_errno(errno, "cannot write to a program");
    }
  }
}

void RemoteProcess::close_input() noexcept {
  if (!input_) return;
  input_.reset();
  // The pump sends the rest and the end; the feeder there compares the count before the program
  // sees the end.
  if (keeper_) keeper_->confirm(name_, written_);
}

Error RemoteProcess::lost_end() const {
  return Error(ErrorCode::Unavailable,
               "the SSH server " + pump_->server() + " did not say how the program ended");
}

Json RemoteProcess::wait() {
  if (!ending_) {
    close_input();
    output_.reset();
    if (!channel_->wait_closed(call().cancel())) {
      channel_->wait_closed(ssh::Channel::Clock::now() + kEnding);
    }
    on_cancel_.reset();
    end();
    error_output_.finish();
    call().cancel().throw_if_cancelled();
    channel_->throw_if_failed();
    const ssh::ChannelEnd how = channel_->end();
    if (!how.exit_code && how.signal.empty()) throw lost_end();
    Json ending{{"exit_code", nullptr}, {"signal", nullptr}, {"stderr", error_output_.tail()}};
    if (how.signal.empty()) {
      ending["exit_code"] = *how.exit_code;
    } else {
      ending["signal"] = signal_number(how.signal);
    }
    if (output_mode_ == ToolOrder::Output::Collect) ending["stdout"] = collected_;
    ending_ = std::move(ending);
  }
  return *ending_;
}

std::string find_remote_program(CallContext& call, ssh::Session& session,
                                const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  RemoteProcess search{
      call, session,
      ToolOrder{.argv = ssh::which_argv(names), .output = ToolOrder::Output::Collect}};
  const Json ending = search.wait();
  std::string path = get_string(ending, "stdout").value_or("");
  path.erase(path.find_last_not_of('\n') + 1);
  if (path.empty()) {
    throw Error(ErrorCode::NotFound,
                "none of these programs is installed on " + session.login().server() + ": " + all);
  }
  return path;
}

}  // namespace dbackup::host
