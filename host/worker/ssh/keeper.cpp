#include "worker/ssh/keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/secret_string.hpp"
#include "worker/ssh/command_line.hpp"

namespace dbackup::host::ssh {
namespace {

constexpr int kSlice = 200;  // ms between looks at the cancellation
constexpr std::chrono::seconds kLeaving{2};

void unblock(const UniqueFd& fd) {
  if (::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK) != 0) {
    throw_errno(errno, "cannot prepare a pipe");
  }
}

void await(int fd, short events, const CancelToken& cancel) {
  pollfd wanted{fd, events, 0};
  if (::poll(&wanted, 1, kSlice) < 0 && errno != EINTR) throw_errno(errno, "cannot wait");
  cancel.throw_if_cancelled();
}

}  // namespace

Keeper::Keeper(std::shared_ptr<Pump> pump, const CancelToken& cancel) : pump_{std::move(pump)} {
  Pipe orders = make_pipe(), answers = make_pipe();
  for (const UniqueFd* fd :
       {&orders.read_end, &orders.write_end, &answers.read_end, &answers.write_end}) {
    unblock(*fd);
  }
  ChannelOrder order{.target = keeper_command(), .is_keeper = true, .announces = true};
  order.input = std::move(orders.read_end);
  order.output = std::move(answers.write_end);
  orders_ = std::move(orders.write_end);
  answers_ = std::move(answers.read_end);
  channel_ = std::make_shared<Channel>(std::move(order));
  pump_->add(channel_);
  try {
    channel_->wait_ready(cancel);
    folder_ = read_line(cancel);
  } catch (...) {
    pump_->close(channel_);
    throw;
  }
}

Keeper::~Keeper() {
  orders_.reset();
  channel_->wait_closed(Channel::Clock::now() + kLeaving);
  pump_->close(channel_);
}

void Keeper::send(std::string_view line, const CancelToken& cancel) {
  while (!line.empty()) {
    const ssize_t n = ::write(orders_.get(), line.data(), line.size());
    if (n >= 0) {
      line.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      await(orders_.get(), POLLOUT, cancel);
    } else if (errno != EINTR) {
      channel_->throw_if_failed();
      throw_errno(errno, "the keeper of files on " + pump_->server() + " is gone");
    }
  }
}

std::string Keeper::read_line(const CancelToken& cancel) {
  std::string line;
  for (;;) {
    char c = 0;
    const ssize_t n = ::read(answers_.get(), &c, 1);
    if (n == 1 && c == '\n') return line;
    if (n == 1) {
      line += c;
    } else if (n == 0) {
      channel_->throw_if_failed();
      throw Error(ErrorCode::Unavailable, "no private folder can be made on " + pump_->server());
    } else if (errno == EAGAIN) {
      await(answers_.get(), POLLIN, cancel);
    } else if (errno != EINTR) {
      throw_errno(errno, "cannot read from " + pump_->server());
    }
  }
}

void Keeper::write_file(const std::string& name, std::string_view content,
                        const CancelToken& cancel) {
  const std::lock_guard lock{mutex_};
  std::string line = "file " + name + " " + escape_for_printf(content) + "\n";
  // Not cancelled in the middle: half a line would spoil the next one.
  send(line, CancelToken{});
  wipe(line);
  if (read_line(cancel) != "ok") {
    throw Error(ErrorCode::ResourceExhausted,
                "cannot write a file in \"" + folder_ + "\" on " + pump_->server());
  }
}

void Keeper::tell(const std::string& line) noexcept {
  try {
    const std::lock_guard lock{mutex_};
    if (!channel_->is_closed()) send(line, CancelToken{});
  } catch (...) {  // the connection is gone: the keeper does all of it by itself
  }
}

void Keeper::confirm(const std::string& name, uint64_t count) noexcept {
  tell("end " + name + " " + std::to_string(count) + "\n");
}
void Keeper::stop(const std::string& name) noexcept { tell("stop " + name + "\n"); }
void Keeper::forget(const std::string& name) noexcept { tell("gone " + name + "\n"); }

}  // namespace dbackup::host::ssh
