#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "api/http_response.hpp"
#include "api/http_transport.hpp"

namespace dbackup::host {

/// One answer on its way out: knows what is still to be sent and where more comes from. Never
/// blocks, holds at most one block (256 KiB) of a relay. Not thread-safe: the connection's mutex
/// guards it.
class HttpReply {
 public:
  /// What the request line and the connection's state ask of the answer.
  struct Form {
    bool head_only = false;  ///< HEAD: lengths, but no body.
    bool http_1_0 = false;   ///< No chunks; an unknown length ends with the connection.
    bool keep_alive =
        true;  ///< Wanted; an answer that can only end with the connection overrules it.
  };
  enum class Step {
    Again,     ///< Took its share of rounds; more can be done at once.
    Socket,    ///< Blocked until the socket is writable.
    Source,    ///< Blocked until source_fd() is readable.
    Verdict,   ///< The relay's verdict is pending: ask again soon.
    Events,    ///< Waits for the event stream's wake call.
    Done,      ///< Everything was handed to the transport.
    Broken,    ///< The client is gone.
    Cut,       ///< The source failed: the client must see an incomplete body.
    CutReset,  ///< As Cut, where only a reset can tell the client.
  };

  HttpReply(HttpResponse response, Form form);
  HttpReply(const HttpReply&) = delete;
  HttpReply& operator=(const HttpReply&) = delete;
  /// Ends relay or stream as not delivered, unless it was.
  ~HttpReply();

  /// Sends as much as the socket and the source allow in `rounds` blocks. Adds to `progress` the
  /// bytes taken.
  Step push(HttpTransport& transport, int rounds, uint64_t& progress);

  /// Whether the connection may carry another request after Done.
  bool keep_alive() const noexcept { return keep_alive_; }
  /// Whether finish() has anyone to tell.
  bool has_owner() const noexcept { return is_relay_ || events_; }
  int source_fd() const noexcept { return relay_.source.get(); }
  HttpEventStream* events() const noexcept { return events_.get(); }
  /// Queues a comment line on a silent event stream.
  void add_comment();
  /// Ends relay or stream and tells its owner. Calls user code: not under a lock that it might
  /// want.
  void finish(bool delivered) noexcept;

 private:
  void render_head(HttpResponse& response, const Form& form);
  Step send_pending(HttpTransport& transport, uint64_t& progress);
  Step refill_relay();
  Step end_relay();
  Step refill_events();
  Step cut() const noexcept { return close_delimited_ ? Step::CutReset : Step::Cut; }

  std::string out_;         // head, small bodies, events
  std::string body_;        // large text bodies, sent after out_ without a copy
  std::string_view block_;  // unsent part of buffer_
  size_t out_sent_ = 0;
  size_t body_sent_ = 0;
  std::unique_ptr<char[]> buffer_;
  HttpRelay relay_;
  std::shared_ptr<HttpEventStream> events_;
  uint64_t relayed_ = 0;
  std::string_view held_;  // last block of a relay of known length: kept back until the verdict
  bool is_relay_ = false;
  bool chunked_ = false;
  bool more_ = false;  // relay or stream may still give bytes
  bool source_ended_ = false;
  bool close_delimited_ = false;
  bool keep_alive_ = true;
};

}  // namespace dbackup::host
