#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/authenticator.hpp"
#include "api/http_options.hpp"
#include "api/run_follower.hpp"

namespace dbackup::host {

struct Services;
class RequestHandler;
class RouteTable;

struct ApiServerOptions {
  HttpServerOptions http;
  RunFollowerOptions follower;
  std::string public_url;  ///< of links; "": taken from each request
  bool is_https = false;   ///< clients reach this server by TLS
  bool log_requests = false;
  std::string web_folder;  ///< of what the API reference is made of; may be missing
};

/// The REST API over the services: route table, dispatcher and HTTP server. [any-thread]
class ApiServer {
 public:
  /// `services` must outlive it. `authenticators` are asked before API keys.
  ApiServer(Services& services, ApiServerOptions options,
            std::vector<std::unique_ptr<Authenticator>> authenticators = {});
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  void start();           ///< throws Error{Unavailable} when the address cannot be used
  uint16_t port() const;  ///< only after start()
  /// See HttpServer::drain_and_stop().
  bool drain_and_stop(std::chrono::milliseconds deadline);

  /// Answers without sockets, for tests and for whoever wants to.
  RequestHandler& handler() noexcept;
  const RouteTable& routes() const noexcept;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace dbackup::host
