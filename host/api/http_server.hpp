#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "api/http_handler.hpp"
#include "api/http_options.hpp"

namespace dbackup::host {

/// The HTTP/1.1 server: accepts and reads by Pistache's TCP layer, frames by Beast's parser, and
/// does the rest itself. Plain values in and out: see RequestHandler. One start and one stop per
/// object.
class HttpServer {
 public:
  /// `handler` must outlive the server.
  HttpServer(HttpServerOptions options, RequestHandler& handler);
  /// Stops without waiting for answers in flight.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Listens and returns. Throws Error{Unavailable} when the address cannot be used.
  void start();

  /// The port listened on, also when the options said 0. Only after start().
  uint16_t port() const;

  /// Connections open now.
  size_t connections() const;

  /// Graceful end: answers carry `Connection: close`, idle and new connections are closed, event
  /// streams end after what was pushed; answers in flight get until `deadline` from now. Then
  /// everything is cut and all threads joined. A handler that still runs is waited for: whoever can
  /// cancel it must do so first. Never call it in a handler. Returns true when no answer was cut.
  bool drain_and_stop(std::chrono::milliseconds deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dbackup::host
