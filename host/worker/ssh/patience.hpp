#pragma once

#include <chrono>
#include <string>

#include "worker/pipeline/cancel_token.hpp"

namespace dbackup::host::ssh {

/// How long something may be waited for, and whether it is still wanted.
class Patience {
 public:
  using Clock = std::chrono::steady_clock;

  /// `what`: "cannot connect to the SSH server h:22", to begin the error with.
  Patience(CancelToken cancel, std::chrono::seconds limit, std::string what)
      : cancel_{std::move(cancel)}, until_{Clock::now() + limit}, what_{std::move(what)} {}

  /// Waits until `fd` is ready for `events` (poll()), at most 200 ms: callers ask again. Throws the
  /// cause of a cancellation, or Error{Unavailable} when the time is up.
  void wait(int fd, short events) const;
  const std::string& what() const noexcept { return what_; }

 private:
  CancelToken cancel_;
  Clock::time_point until_;
  std::string what_;
};

}  // namespace dbackup::host::ssh
