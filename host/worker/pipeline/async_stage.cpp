#include "worker/pipeline/async_stage.hpp"

namespace dbackup::host {

AsyncStage::AsyncStage(SinkPtr next, const CancelToken& token, RingLimits limits)
    : Stage{std::move(next)}, ring_{1, token, limits}, thread_{[this] { pump(); }} {}

AsyncStage::~AsyncStage() {
  if (!thread_.joinable()) return;
  static const Cause unfinished =
      make_cause(Error{ErrorCode::Aborted, "the stream ended without being finished"});
  AsyncStage::abort(unfinished);
  thread_.join();
}

void AsyncStage::pump() noexcept {
  try {
    for (Bytes bytes = ring_.peek(0); !bytes.empty(); bytes = ring_.peek(0)) {
      next().write(bytes);
      ring_.consume(0, bytes.size());
    }
    next().finish();
  } catch (...) {
    const Cause cause = current_cause();
    ring_.drop(0, cause);
    {
      const std::lock_guard lock{failure_mutex_};
      failure_ = cause;
    }
    next().abort(cause);
  }
}

void AsyncStage::finish() {
  ring_.finish();
  thread_.join();
  const std::lock_guard lock{failure_mutex_};
  if (failure_) throw_cause(failure_);
}

// The thread may be blocked in what follows, so the abort goes there directly as well.
void AsyncStage::abort(const Cause& cause) noexcept {
  ring_.abort(cause);
  Stage::abort(cause);
}

}  // namespace dbackup::host
