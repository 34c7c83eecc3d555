#pragma once

#include <memory>
#include <stop_token>

#include "worker/pipeline/stage.hpp"

namespace dbackup::host {

/// One operation's "stop now", with its cause. Copies share the state. Every wait of the pipeline
/// ends at once when it is cancelled, throwing the cause. [any thread]
class CancelToken {
 public:
  CancelToken();

  /// The first cause wins; later ones are ignored.
  void cancel(const Cause& cause) const;
  void cancel(const Error& cause) const { cancel(make_cause(cause)); }

  bool is_cancelled() const noexcept { return source_.stop_requested(); }
  /// Null while not cancelled.
  Cause cause() const;
  void throw_if_cancelled() const;

  /// For std::stop_callback: whoever waits on something of his own is woken by it.
  std::stop_token stop_token() const noexcept { return source_.get_token(); }

 private:
  struct State;
  std::shared_ptr<State> state_;
  mutable std::stop_source source_;
};

}  // namespace dbackup::host
