#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/http_message.hpp"

namespace dbackup::host {

/// Bytes in, requests out: no socket, no thread, no clock. Feed it what arrives, however it is cut.
///
///   NeedInput --feed--> HeadReady --accept_body--> NeedInput … --> RequestReady --take-->
///   NeedInput …
///
/// and Failed from anywhere, for good: what follows a broken request cannot be trusted to be one.
/// Not thread-safe.
class HttpFramer {
 public:
  struct Limits {
    size_t header_bytes = size_t{16} << 10;
    size_t header_fields = 100;
  };
  enum class State {
    NeedInput,
    HeadReady,     ///< head() is complete; accept_body() goes on.
    RequestReady,  ///< take() gives the request.
    Failed,        ///< error() says why.
  };
  /// A breach of the protocol as the answer to give: 400, 413, 417, 431, 501 or 505.
  struct Failure {
    int status = 400;
    std::string_view message;
  };

  explicit HttpFramer(Limits limits);
  HttpFramer(HttpFramer&&) noexcept;
  HttpFramer& operator=(HttpFramer&&) noexcept;
  ~HttpFramer();

  /// Takes all of `bytes`: frames them, or keeps them while a head or request waits to be looked
  /// at. What follows a failure is dropped.
  State feed(std::string_view bytes);
  State state() const noexcept { return state_; }

  /// The head, in HeadReady and until take(). The body is not in it.
  HttpRequest& head() noexcept { return request_; }
  bool has_body() const noexcept { return has_body_; }
  /// Announced length; nullopt when there is none or the body is chunked.
  std::optional<uint64_t> content_length() const noexcept { return content_length_; }
  bool expects_continue() const noexcept { return expects_continue_; }
  /// Whether the connection may carry another request after this one (HTTP/1.0 and 1.1 rules).
  bool keep_alive() const noexcept { return keep_alive_; }
  bool is_http_1_0() const noexcept { return http_1_0_; }

  /// Goes on after HeadReady; a body longer than `limit` bytes fails with 413, before it is read
  /// when announced.
  State accept_body(uint64_t limit);

  /// Takes the request after RequestReady and goes on with what is already there.
  HttpRequest take();
  /// Frames what take() left in the buffer.
  State resume();

  const Failure& error() const noexcept { return failure_; }
  /// Bytes kept that are not framed yet.
  size_t buffered() const noexcept { return buffer_.size(); }
  /// True when a request has begun and is not complete.
  bool mid_request() const noexcept { return begun_; }
  /// True when its head is complete and its body is not.
  bool mid_body() const noexcept { return begun_ && in_body_; }

 private:
  struct Parser;

  State run(std::string_view& bytes);
  State parse_head(std::string_view& bytes);
  State parse_body(std::string_view& bytes);
  State check_head();
  State fail(int status, std::string_view message);

  Limits limits_;
  State state_ = State::NeedInput;
  std::unique_ptr<Parser> parser_;
  std::string buffer_;
  HttpRequest request_;
  Failure failure_;
  std::optional<uint64_t> content_length_;
  size_t head_bytes_ = 0;
  bool begun_ = false;
  bool in_body_ = false;
  bool has_body_ = false;
  bool expects_continue_ = false;
  bool keep_alive_ = true;
  bool http_1_0_ = false;
};

}  // namespace dbackup::host
