#include "worker/pipeline/guarded_chain.hpp"

namespace dbackup::host {

GuardedChain::GuardedChain(SinkPtr chain, const CancelToken& token)
    : chain_{std::move(chain)}, token_{token} {}

GuardedChain::~GuardedChain() {
  if (!finished_) abort(Error{ErrorCode::Aborted, "the stream ended without being finished"});
}

template <class Body>
void GuardedChain::guarded(Body&& body) {
  if (const Cause earlier = cause()) throw_cause(earlier);
  try {
    token_.throw_if_cancelled();
    body();
  } catch (...) {
    abort(current_cause());
    throw_cause(cause());
  }
}

void GuardedChain::write(Bytes bytes) {
  guarded([&] { chain_->write(bytes); });
}

void GuardedChain::finish() {
  guarded([&] { chain_->finish(); });
  finished_ = true;
}

void GuardedChain::abort(const Cause& cause) noexcept {
  {
    const std::lock_guard lock{cause_mutex_};
    if (cause_ || finished_) return;
    cause_ = cause;
  }
  chain_->abort(cause);
}

Cause GuardedChain::cause() const {
  const std::lock_guard lock{cause_mutex_};
  return cause_;
}

}  // namespace dbackup::host
