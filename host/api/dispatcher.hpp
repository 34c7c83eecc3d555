#pragma once

#include <memory>
#include <vector>

#include "api/authenticator.hpp"
#include "api/client_gate.hpp"
#include "api/entity_tag.hpp"
#include "api/http_handler.hpp"
#include "api/idempotency.hpp"
#include "api/origin_check.hpp"
#include "api/route_table.hpp"

namespace dbackup::host {

struct DispatcherOptions {
  /// One debug line for every request, not only for those that went wrong.
  bool log_requests = false;
  /// Clients reach this server by TLS, so it may tell them to insist on it.
  bool is_https = false;
  /// Asked before anything else about a request is; nullptr: nobody is.
  ClientGate* gate = nullptr;
  /// Asked about changes that a browser may have been tricked into; nullptr: all pass.
  const OriginCheck* origins = nullptr;
};

/// From a request to its answer: match, authenticate, permit, read the body, call the handler, and
/// give every error its body and status. Knows nothing of sockets. [any-thread]
class Dispatcher final : public RequestHandler {
 public:
  /// All that is referred to must outlive it. The first authenticator that finds credentials of its
  /// kind decides.
  Dispatcher(const RouteTable& routes, std::vector<Authenticator*> authenticators,
             Idempotency& idempotency, ConditionalChanges& changes, DispatcherOptions options = {});

  RouteInfo route(HttpRequest& head) override;
  HttpResponse handle(HttpRequest& request) override;
  void decorate(const HttpRequest* request, HttpResponse& response) override;
  void failed(const HttpRequest* request, std::exception_ptr error) noexcept override;

  /// Whether the credentials of `request` still admit its sender; for answers that take long.
  bool may(const HttpRequest& request, const Access& access) const noexcept;

 private:
  std::optional<Principal> known(const HttpRequest& request, const Access& access) const;
  Principal admitted(const RouteRow& row, const HttpRequest& request) const;
  HttpResponse call(const RouteMatch& match, HttpRequest& request) const;
  HttpResponse answer(const RouteRow& row, const ApiRequest& request, const Principal& who) const;
  HttpResponse current(const HttpRequest& request, const Principal& who) const;

  const RouteTable& routes_;
  std::vector<Authenticator*> authenticators_;
  Idempotency& idempotency_;
  ConditionalChanges& changes_;
  DispatcherOptions options_;
};

}  // namespace dbackup::host
