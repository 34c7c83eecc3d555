#pragma once

#include <functional>
#include <optional>
#include <stop_token>

#include "base/unique_fd.hpp"
#include "worker/pipeline/cancel_token.hpp"

namespace dbackup::host {

/// Writes to a descriptor that somebody else owns. A reader that is gone is Error{Cancelled}; a
/// cancellation wakes a write that waits for a slow reader.
class FdSink final : public ByteSink {
 public:
  FdSink(int fd, CancelToken cancel);
  ~FdSink() override;

  void write(Bytes bytes) override;
  void finish() override {}
  void abort(const Cause&) noexcept override {}

 private:
  int fd_;
  CancelToken cancel_;
  int flags_before_ = 0;
  UniqueFd cancel_event_;
  std::optional<std::stop_callback<std::function<void()>>> on_cancel_;
};

}  // namespace dbackup::host
