#pragma once

#include <cstdint>
#include <exception>
#include <optional>

#include "api/http_message.hpp"
#include "api/http_response.hpp"

namespace dbackup::host {

/// Where a request is answered.
enum class HttpRun {
  Inline,  ///< On the thread that read it: answers from memory only, in microseconds.
  Quick,   ///< Quick pool: the metadata store at most.
  Slow,    ///< Slow pool: may wait for a worker.
};

/// What the server must know once a request's head is complete.
struct RouteInfo {
  HttpRun run = HttpRun::Quick;
  /// Largest body accepted; a longer one is answered 413 before it is read where its length is
  /// announced.
  uint64_t body_limit = uint64_t{1} << 20;
  /// An answer already decided (401, 404, 405, …): the body is not handed over and handle() is not
  /// called.
  std::optional<HttpResponse> answer;
};

/// What the server asks of the layer above. All calls come from many threads at once. An exception
/// of any type gives a 500 that says nothing of its text.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;

  /// Called when the head is complete and valid; `head.body` is empty. Runs on a reactor thread (or
  /// on the thread that finished the connection's previous answer): must not block. May set
  /// head.route_context.
  virtual RouteInfo route(HttpRequest& head) = 0;

  /// Answers one request, on the thread kind that route() chose. The request may be moved from.
  /// HEAD requests come here as Method::Head; the server sends the answer's length and leaves its
  /// body out.
  virtual HttpResponse handle(HttpRequest& request) = 0;

  /// Called for every answer before it is sent, those the server makes itself included; `request`
  /// is nullptr when no head could be read. Adds security headers and the like. Must not block.
  virtual void decorate(const HttpRequest* request, HttpResponse& response) {
    (void)request;
    (void)response;
  }

  /// Told of an exception that route(), handle() or decorate() let out, for the log. `request` as
  /// in decorate().
  virtual void failed(const HttpRequest* request, std::exception_ptr error) noexcept {
    (void)request;
    (void)error;
  }
};

}  // namespace dbackup::host
