#include "worker/pipeline/cancel_token.hpp"

#include <mutex>

namespace dbackup::host {

struct CancelToken::State {
  std::mutex mutex;
  Cause cause;
};

CancelToken::CancelToken() : state_{std::make_shared<State>()} {}

void CancelToken::cancel(const Cause& cause) const {
  {
    const std::lock_guard lock{state_->mutex};
    if (state_->cause) return;
    state_->cause = cause;
  }
  // After the cause is set, so that whoever sees the stop finds the cause; outside the lock,
  // because this runs the callbacks.
  source_.request_stop();
}

Cause CancelToken::cause() const {
  const std::lock_guard lock{state_->mutex};
  return state_->cause;
}

void CancelToken::throw_if_cancelled() const {
  if (is_cancelled()) throw_cause(cause());
}

}  // namespace dbackup::host
