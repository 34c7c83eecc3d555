#include "worker/ssh/ssh_channel.hpp"

namespace dbackup::host::ssh {

void Channel::wait_ready(const CancelToken& cancel) {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, cancel.stop_token(), [&] { return phase_ != Phase::Starting; });
  cancel.throw_if_cancelled();
  if (failure_) throw_cause(failure_);
}

bool Channel::wait_closed(Clock::time_point until) {
  std::unique_lock lock{mutex_};
  return changed_.wait_until(lock, until, [&] { return phase_ == Phase::Closed; });
}

bool Channel::wait_closed(const CancelToken& cancel) {
  std::unique_lock lock{mutex_};
  return changed_.wait(lock, cancel.stop_token(), [&] { return phase_ == Phase::Closed; });
}

void Channel::throw_if_failed() const {
  const std::lock_guard lock{mutex_};
  if (failure_) throw_cause(failure_);
}

ChannelEnd Channel::end() const {
  const std::lock_guard lock{mutex_};
  return end_;
}

bool Channel::is_closed() const {
  const std::lock_guard lock{mutex_};
  return phase_ == Phase::Closed;
}

void Channel::become_ready() {
  const std::lock_guard lock{mutex_};
  if (phase_ == Phase::Starting) phase_ = Phase::Ready;
  changed_.notify_all();
}

void Channel::set_exit(int code) {
  const std::lock_guard lock{mutex_};
  end_.exit_code = code;
}

void Channel::set_signal(std::string_view name) {
  const std::lock_guard lock{mutex_};
  end_.signal = name;
}

void Channel::fail(const Cause& cause) {
  const std::lock_guard lock{mutex_};
  if (!failure_) failure_ = cause;
}

void Channel::become_closed() {
  const std::lock_guard lock{mutex_};
  phase_ = Phase::Closed;
  changed_.notify_all();
}

}  // namespace dbackup::host::ssh
