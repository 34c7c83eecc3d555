#pragma once

#include <chrono>
#include <dbackup/call.hpp>

namespace dbackup::plugins {

/// The question for cancellation of a clean-up: says yes 300 ms later than Call does, so that what
/// an operation made can be taken back within the half second it has left. One thread.
class Patience {
 public:
  explicit Patience(const Call& call) : call_{call} {}
  void check() {
    if (!call_.is_cancelled()) return;
    const auto now = std::chrono::steady_clock::now();
    if (end_ == std::chrono::steady_clock::time_point{})
      end_ = now + std::chrono::milliseconds{300};
    if (now >= end_) throw Error{ErrorCode::Cancelled, "cancelled"};
  }

 private:
  const Call call_;
  std::chrono::steady_clock::time_point end_{};
};

}  // namespace dbackup::plugins
