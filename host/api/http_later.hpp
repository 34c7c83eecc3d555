#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "api/http_response.hpp"

namespace dbackup::host {

/// An answer that somebody gives later, while no thread waits for it. Whoever owns it must let go
/// of it before the server goes. [any-thread]
class HttpLater {
 public:
  using Send = std::function<void(HttpResponse)>;

  /// `on_hurry` may be called more than once, on any thread: the client is gone, or the server
  /// wants to stop. It must not block.
  explicit HttpLater(std::function<void()> on_hurry = {}) : on_hurry_{std::move(on_hurry)} {}
  HttpLater(const HttpLater&) = delete;
  HttpLater& operator=(const HttpLater&) = delete;
  /// One that was never given becomes 503.
  ~HttpLater();

  /// Gives the answer; the first one counts.
  void answer(HttpResponse response);

  /// For the server: `send` is called once, on the thread that answers; at once when the answer is
  /// there already.
  void attach(Send send);
  void hurry() noexcept;

 private:
  std::mutex mutex_;
  std::function<void()> on_hurry_;
  Send send_;
  std::optional<HttpResponse> early_;  ///< given before anybody could send it
  bool is_answered_ = false;
};

}  // namespace dbackup::host
