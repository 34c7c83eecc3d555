#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"

namespace dbackup::test {

/// One answer as read from the wire.
struct RawResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool complete = false;  ///< The end that its framing promises was seen.

  /// Value of the first field of that name, in any case; "" when absent.
  std::string header(std::string_view name) const;
};

/// A TCP client that sends exactly the bytes it is told to, for tests of servers. Every wait has a
/// deadline and fails by returning less; nothing throws but the constructor.
class RawHttpClient {
 public:
  struct Options {
    int receive_buffer = 0;  ///< Bytes of SO_RCVBUF; 0: the system's choice.
    std::chrono::milliseconds patience{10'000};
  };

  /// Connects to 127.0.0.1. Throws std::runtime_error.
  explicit RawHttpClient(uint16_t port) : RawHttpClient{port, Options{}} {}
  RawHttpClient(uint16_t port, Options options);

  /// False when the peer is gone.
  bool send(std::string_view bytes);
  /// Reads one answer. With `head_only` no body is expected (HEAD). nullopt when not even a head
  /// came.
  std::optional<RawResponse> read_response(bool head_only = false);
  /// Sends, then reads one answer.
  std::optional<RawResponse> ask(std::string_view request, bool head_only = false);
  /// At least one byte, at most `size`; "" at end of stream, reset or deadline.
  std::string read_some(size_t size);
  /// Everything up to the end of the stream, with what is buffered.
  std::string read_to_end();
  /// True when the peer closes (or resets) within the patience, bytes before that dropped.
  bool closed_by_peer();
  /// Whether the last read ended by a reset.
  bool was_reset() const noexcept { return reset_; }
  void finish_sending();
  /// Ends the connection by a reset.
  void kill();
  int fd() const noexcept { return socket_.get(); }

 private:
  bool fill();

  host::UniqueFd socket_;
  Options options_;
  std::string buffer_;
  bool reset_ = false;
};

/// "GET `path` HTTP/1.1" with a Host field and `extra` header lines, each ended by CRLF.
std::string raw_get(std::string_view path, std::string_view extra = "");
std::string raw_post(std::string_view path, std::string_view body, std::string_view extra = "");

}  // namespace dbackup::test
