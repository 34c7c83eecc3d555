#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "api/http_event_stream.hpp"
#include "api/http_message.hpp"
#include "base/unique_fd.hpp"

namespace dbackup::host {

class HttpLater;

/// What is known about a relay's source once its descriptor reported end of file.
enum class RelayEnd {
  Pending,   ///< Not known yet: the server asks again within 50 ms.
  Complete,  ///< All bytes are right: the client gets a complete answer.
  Failed,    ///< The client must see an incomplete body.
};

/// A body read from a descriptor while it is sent. The server reads only as fast as the client
/// takes, so a pipe's writer feels the client. Move-only.
class HttpRelay {
 public:
  HttpRelay() = default;
  explicit HttpRelay(UniqueFd source_fd) : source{std::move(source_fd)} {}
  HttpRelay(HttpRelay&& other) noexcept;
  HttpRelay& operator=(HttpRelay&& other) noexcept;
  ~HttpRelay() { finish(false); }

  /// Read end of a pipe, a socket or a regular file; the server makes it non-blocking.
  UniqueFd source;
  /// Size of the body. Unknown: chunked. A source that gives more or less than this counts as
  /// failed.
  std::optional<uint64_t> length;
  /// Asked at end of file, on the writer thread: must not block nor throw. Empty means Complete.
  std::function<RelayEnd()> verdict;
  /// Called exactly once, on any thread, also when the answer was never sent; must not block.
  /// `delivered`: the whole answer was handed to the network. The source is closed before.
  std::function<void(bool delivered)> on_end;

  /// Closes the source and calls on_end once; later calls do nothing.
  void finish(bool delivered) noexcept;
};

/// One answer as a value: text, relay of a descriptor, or event stream. The server adds Date,
/// Content-Length, Connection and Transfer-Encoding itself and drops those four when a handler sets
/// them.
struct HttpResponse {
  int status = 200;
  HttpHeaders headers;
  /// Further fields that every answer carries, sent before the others. They live as long as the
  /// program and are names and values of ours.
  std::span<const std::pair<std::string_view, std::string_view>> fixed_headers = {};
  std::variant<std::string, HttpRelay, std::shared_ptr<HttpEventStream>> body;
  /// Of an answer that also tells what changes by itself: its text without that. If-Match compares
  /// this alone. "": the body.
  std::string lasting;
  /// Ends the connection after this answer.
  bool close = false;
  /// When set, the answer is the one that it gives, and nothing else of this is sent.
  std::shared_ptr<HttpLater> later = {};

  static HttpResponse text(int status, std::string body,
                           std::string content_type = "text/plain; charset=utf-8");
  /// `json` is the serialized document.
  static HttpResponse json(int status, std::string json);
  /// The standard error body: {"success":false,"error":`message`}.
  static HttpResponse error(int status, std::string_view message);
  static HttpResponse relay(HttpRelay relay, std::string content_type);
  /// Sets what an event stream needs: type, no-store, no buffering by proxies.
  static HttpResponse events(std::shared_ptr<HttpEventStream> stream);
};

/// "Not Found" for 404; "Unknown" for a status this server does not send.
std::string_view reason_phrase(int status) noexcept;

}  // namespace dbackup::host
