#include "worker/ssh/ssh_stream.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.hpp"
#include "worker/ssh/command_line.hpp"

namespace dbackup::host::ssh {
namespace {

constexpr size_t kMostNoise = 64 * 1024;
constexpr int kBlocksAtOnce = 16;  // then the other channels have their turn

Stream& self(void* user) { return *static_cast<Stream*>(user); }

/// The other end of a socket learns that no more will come; pipes do not mind.
void close_writing(UniqueFd& fd) {
  if (!fd) return;
  ::shutdown(fd.get(), SHUT_WR);
  fd.reset();
}

}  // namespace

Stream::Stream(ssh_session session, std::shared_ptr<Channel> channel, std::string server)
    : session_{session},
      channel_{std::move(channel)},
      order_{channel_->order},
      server_{std::move(server)} {
  announced_ = !order_.announces;
  ssh_callbacks_init(&callbacks_);
  callbacks_.userdata = this;
  callbacks_.channel_exit_status_function = [](ssh_session, ssh_channel, int code, void* user) {
    self(user).channel_->set_exit(code);
  };
  callbacks_.channel_exit_signal_function = [](ssh_session, ssh_channel, const char* name, int,
                                               const char*, const char*, void* user) {
    self(user).channel_->set_signal(name == nullptr ? "" : name);
  };
  callbacks_.channel_eof_function = [](ssh_session, ssh_channel, void* user) {
    self(user).remote_eof_ = true;
  };
  callbacks_.channel_close_function = [](ssh_session, ssh_channel, void* user) {
    self(user).remote_eof_ = self(user).remote_closed_ = true;
  };
}

Stream::~Stream() {
  if (state_ != State::Done) close();
  if (raw_ == nullptr) return;
  ssh_remove_channel_callbacks(raw_, &callbacks_);
  ssh_channel_free(raw_);
}

bool Stream::step() {
  if (state_ == State::Fresh) open();
  if (state_ == State::Opening) {
    const int rc = ask_to_open();
    if (rc == SSH_AGAIN) return false;
    if (rc != SSH_OK) {
      refuse(order_.kind == ChannelOrder::Kind::Forward ||
                     order_.kind == ChannelOrder::Kind::ForwardPath
                 ? "cannot connect to " + order_.target +
                       (order_.port > 0 ? ":" + std::to_string(order_.port) : "") + " from there"
                 : "no further channel");
      return false;
    }
    state_ = State::Requesting;
  }
  if (state_ == State::Requesting) {
    const int rc = ask_to_run();
    if (rc == SSH_AGAIN) return false;
    if (rc != SSH_OK) {
      refuse(order_.kind == ChannelOrder::Kind::Subsystem
                 ? "the subsystem \"" + order_.target + "\" is not offered"
                 : "running programs is not allowed");
      return false;
    }
    state_ = State::Running;
    if (announced_) channel_->become_ready();
  }
  if (state_ != State::Running) return false;
  const bool more_errors = pull_errors();
  const bool more = pull() || more_errors;
  push();
  finish_if_over();
  return more && state_ == State::Running;
}

void Stream::open() {
  raw_ = ssh_channel_new(session_);
  if (raw_ == nullptr || ssh_set_channel_callbacks(raw_, &callbacks_) != SSH_OK) {
    refuse("out of memory");
    return;
  }
  state_ = State::Opening;
}

int Stream::ask_to_open() {
  switch (order_.kind) {
    case ChannelOrder::Kind::Forward:
      return ssh_channel_open_forward(raw_, order_.target.c_str(), order_.port, "127.0.0.1", 0);
    case ChannelOrder::Kind::ForwardPath:
      return ssh_channel_open_forward_unix(raw_, order_.target.c_str(), "127.0.0.1", 0);
    default:
      return ssh_channel_open_session(raw_);
  }
}

int Stream::ask_to_run() {
  switch (order_.kind) {
    case ChannelOrder::Kind::Program:
      return ssh_channel_request_exec(raw_, order_.target.c_str());
    case ChannelOrder::Kind::Subsystem:
      return ssh_channel_request_subsystem(raw_, order_.target.c_str());
    default:
      return SSH_OK;
  }
}

void Stream::refuse(const std::string& what) {
  const std::string why = ssh_get_error(session_);
  // SSH_OPEN_ADMINISTRATIVELY_PROHIBITED (RFC 4254, section 5.1): not the far end's refusal.
  const bool is_forbidden = (order_.kind == ChannelOrder::Kind::Forward ||
                             order_.kind == ChannelOrder::Kind::ForwardPath) &&
                            why.find("error (1)") != std::string::npos;
  close(make_cause(Error(ErrorCode::FailedPrecondition,
                         "the SSH server " + server_ +
                             (is_forbidden ? " does not let connections be forwarded "
                                             "(AllowTcpForwarding, PermitOpen): "
                                           : " refuses: ") +
                             what,
                         why)));
}

bool Stream::pull_errors() {
  std::array<char, 16 * 1024> text;
  for (int i = 0; i < kBlocksAtOnce; ++i) {
    const int n = ssh_channel_read_nonblocking(raw_, text.data(), text.size(), 1);
    if (n <= 0) return false;
    if (order_.on_errors) order_.on_errors({text.data(), static_cast<size_t>(n)});
  }
  return true;
}

bool Stream::pull() {
  if (out_.empty()) out_.resize(kBlock);
  for (int i = 0; i < kBlocksAtOnce; ++i) {
    if (out_begin_ < out_end_ && !give()) return false;
    const int n = ssh_channel_read_nonblocking(raw_, out_.data(), kBlock, 0);
    if (n <= 0) return false;
    out_begin_ = 0;
    out_end_ = static_cast<size_t>(n);
    if (!announced_) strip_noise();
  }
  return true;
}

/// Hands the block on; false when the reader is not ready for all of it.
bool Stream::give() {
  while (out_begin_ < out_end_) {
    const size_t size = out_end_ - out_begin_;
    if (!order_.output || drops_output_) {
      if (order_.on_output) order_.on_output({out_.data() + out_begin_, size});
      out_begin_ = out_end_;
      break;
    }
    const ssize_t n = ::write(order_.output.get(), out_.data() + out_begin_, size);
    if (n >= 0) {
      out_begin_ += static_cast<size_t>(n);
    } else if (errno == EAGAIN) {
      return false;
    } else if (errno != EINTR) {
      drops_output_ = true;  // nobody reads any more: here a program gets SIGPIPE
      order_.output.reset();
      if (order_.kind == ChannelOrder::Kind::Program) {
        terminate();
      } else {
        close();
        return false;
      }
    }
  }
  return true;
}

void Stream::strip_noise() {
  noise_.append(out_.data(), out_end_);
  out_begin_ = out_end_ = 0;
  const size_t missing = noise_.find(kMissing);
  const size_t ready = noise_.find(kReady);
  if (ready != std::string::npos && ready < missing) {
    const std::string rest = noise_.substr(ready + kReady.size());  // part of one block: fits
    std::ranges::copy(rest, out_.begin());
    out_end_ = rest.size();
    noise_.clear();
    announced_ = true;
    channel_->become_ready();
  } else if (missing != std::string::npos) {
    close(
        make_cause(Error(ErrorCode::NotFound, "no such program on " + server_, {}, "no_program")));
  } else if (noise_.size() > kMostNoise) {
    noise_.erase(0, noise_.size() - kMissing.size());
  }
}

void Stream::push() {
  if (sent_eof_ || state_ != State::Running) return;
  // One pass per turn: while the connection is full, more would only pile up.
  for (int i = 0; i < kBlocksAtOnce; ++i) {
    if ((ssh_get_poll_flags(session_) & SSH_WRITE_PENDING) != 0) return;
    const size_t window = ssh_channel_window_size(raw_);
    if (in_begin_ == in_end_) {
      if (!order_.input || window == 0 || !announced_) return;
      if (in_.empty()) in_.resize(kBlock);
      const ssize_t n = ::read(order_.input.get(), in_.data(), std::min(window, kBlock));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return;
      if (n <= 0) {
        end_input();
        return;
      }
      in_begin_ = 0;
      in_end_ = static_cast<size_t>(n);
    }
    const int n =
        ssh_channel_write(raw_, in_.data() + in_begin_, static_cast<uint32_t>(in_end_ - in_begin_));
    if (n <= 0) return;
    in_begin_ += static_cast<size_t>(n);
  }
}

void Stream::end_input() {
  order_.input.reset();
  if (sent_eof_ || state_ != State::Running) return;
  sent_eof_ = true;
  ssh_channel_send_eof(raw_);
}

void Stream::terminate() {
  constexpr char kLine[] = "T\n";
  if (state_ == State::Running && !order_.input && !sent_eof_) ssh_channel_write(raw_, kLine, 2);
}

void Stream::finish_if_over() {
  if (state_ != State::Running || !remote_eof_) return;
  if (out_begin_ < out_end_ || ssh_channel_poll(raw_, 0) > 0 || ssh_channel_poll(raw_, 1) > 0) {
    return;
  }
  if (remote_closed_) {
    if (!announced_) {
      channel_->fail(
          make_cause(Error(ErrorCode::FailedPrecondition,
                           "the login shell on " + server_ + " did not run the command")));
    }
    close();
  } else {
    close_writing(order_.output);
  }
}

void Stream::close(const Cause& cause) {
  if (state_ == State::Done) return;
  state_ = State::Done;
  if (cause) channel_->fail(cause);  // before the pipes: who sees their end asks why
  order_.input.reset();
  close_writing(order_.output);
  if (raw_ != nullptr && ssh_channel_is_open(raw_) != 0) ssh_channel_close(raw_);
  channel_->become_closed();
}

void Stream::add_waits(std::vector<pollfd>& to) const {
  if (state_ != State::Running) return;
  if (out_begin_ < out_end_ && order_.output) to.push_back({order_.output.get(), POLLOUT, 0});
  const bool may_send = !sent_eof_ && in_begin_ == in_end_ && announced_ &&
                        (ssh_get_poll_flags(session_) & SSH_WRITE_PENDING) == 0;
  if (order_.input && may_send && ssh_channel_window_size(raw_) > 0) {
    to.push_back({order_.input.get(), POLLIN, 0});
  }
}

}  // namespace dbackup::host::ssh
