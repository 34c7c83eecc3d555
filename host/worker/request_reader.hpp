#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/unique_fd.hpp"
#include "protocol/message.hpp"
#include "worker/pipeline/cancel_token.hpp"

namespace dbackup::host {

/// Reads the lines of the host on a thread of its own, so that a cancellation is seen while an
/// operation runs.
class RequestReader {
 public:
  explicit RequestReader(UniqueFd input);
  ~RequestReader();

  struct Order {
    protocol::Request request;
    CancelToken cancel;
  };
  /// The next request; blocks. nullopt at the end of the input. Throws Error once a line was not
  /// understood; requests before it are handed out first.
  std::optional<Order> next();
  /// The host's answer to a "reserve" event; blocks. Throws the cause of a cancellation, or
  /// Error{Aborted} when the input ended before the answer.
  bool await_proceed(const CancelToken& cancel);
  /// Cancels the running request and those that wait. [any thread]
  void cancel_all(const Error& cause);

 private:
  void read_lines() noexcept;
  void take_line(std::string_view line);
  void end(std::optional<Error> failure) noexcept;

  UniqueFd input_;
  UniqueFd stop_event_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Order> waiting_;
  std::deque<bool> answers_;
  std::optional<CancelToken> running_;
  bool greeted_ = false;
  bool ended_ = false;
  std::optional<Error> failure_;
  std::thread thread_;
};

}  // namespace dbackup::host
