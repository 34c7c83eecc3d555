#pragma once

#include <atomic>
#include <mutex>

#include "worker/pipeline/cancel_token.hpp"
#include "worker/pipeline/stage.hpp"

namespace dbackup::host {

/// The head of a chain of stages: the first error of any part is kept, reaches every end with its
/// cause, and makes finishing impossible, whatever the writer made of a failed write. Destroyed
/// before finish() it aborts.
class GuardedChain : public ByteSink {
 public:
  GuardedChain(SinkPtr chain, const CancelToken& token);
  ~GuardedChain() override;

  void write(Bytes bytes) final;
  void finish() final;
  void abort(const Cause& cause) noexcept final;
  void abort(const Error& cause) noexcept { abort(make_cause(cause)); }

  /// What ended the stream early; null while nothing did. Prefer it to the error that a plugin
  /// reports after its write failed. [any thread]
  Cause cause() const;

 private:
  template <class Body>
  void guarded(Body&& body);

  SinkPtr chain_;
  CancelToken token_;
  std::atomic<bool> finished_{false};
  mutable std::mutex cause_mutex_;
  Cause cause_;
};

}  // namespace dbackup::host
