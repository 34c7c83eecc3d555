#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dbackup::host {

/// The open end of a text/event-stream answer: whoever has events pushes them, the server's writer
/// sends them. [any-thread]
///
/// Bounded: a client that leaves more than `limit_bytes` unsent is dropped; it comes back with
/// Last-Event-ID.
class HttpEventStream {
 public:
  static constexpr size_t kDefaultLimitBytes = size_t{256} << 10;

  /// `on_end` is called once, when the client is gone or the stream is over, on any thread; it must
  /// not block.
  explicit HttpEventStream(std::function<void()> on_end = {},
                           size_t limit_bytes = kDefaultLimitBytes)
      : on_end_{std::move(on_end)}, limit_bytes_{limit_bytes} {}
  HttpEventStream(const HttpEventStream&) = delete;
  HttpEventStream& operator=(const HttpEventStream&) = delete;
  ~HttpEventStream() { end(); }

  /// Queues bytes already in event-stream form. False when the stream is over or was just dropped
  /// as too slow.
  bool push(std::string_view text);
  /// Ends the answer after what was pushed so far.
  void close();
  bool is_open() const;
  /// How many bytes push() takes now; 0 when the stream is over. Who looks before it pushes never drops
  /// a slow client: `on_room` is called, once for each call of this, when the client has taken some.
  size_t room(std::function<void()> on_room);

  /// For the server: `wake` is called, without the stream's lock, whenever there is something to
  /// take.
  void attach(std::function<void()> wake);
  struct Taken {
    std::string text;
    bool last = false;      ///< Nothing will follow.
    bool overflow = false;  ///< The client must be dropped.
  };
  Taken take();
  bool overflowed() const;
  /// The client is gone: forgets what is queued, calls on_end once.
  void end() noexcept;

 private:
  mutable std::mutex mutex_;
  std::function<void()> on_end_;
  std::function<void()> wake_;
  std::function<void()> on_room_;
  std::string queued_;
  size_t limit_bytes_;
  bool closing_ = false;
  bool overflow_ = false;
  bool ended_ = false;
};

/// One event in the form of text/event-stream: `id` becomes Last-Event-ID, line ends in `data` are
/// kept.
std::string format_event(std::optional<uint64_t> id, std::string_view event, std::string_view data);

}  // namespace dbackup::host
