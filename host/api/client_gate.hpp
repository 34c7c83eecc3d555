#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "api/http_message.hpp"
#include "api/http_response.hpp"
#include "api/proxies.hpp"
#include "api/rate_limiter.hpp"
#include "base/settings.hpp"

namespace dbackup::host {

/// The limits in force, by bucket.
struct RateLimits {
  bool enabled = true;
  RateLimit auth, api, mutation;
};
RateLimits rate_limits(const Settings& settings);

/// First look at a request, before its route is known: who is it, and not too many of it.
/// [any-thread]
class ClientGate {
 public:
  /// Both must outlive it. Throws Error{InvalidArgument} when the trusted proxies are malformed.
  ClientGate(const LiveSettings& live, const Clock& clock);

  /// Puts the client's address into `head`. An answer: the request is refused with it.
  std::optional<HttpResponse> admit(HttpRequest& head);

 private:
  struct Rules {
    std::shared_ptr<const Settings> made_from;
    TrustedProxies proxies{""};
    RateLimits limits;
  };
  std::shared_ptr<const Rules> rules();

  const LiveSettings& live_;
  const Clock& clock_;
  RateLimiter limiter_;
  std::mutex mutex_;
  std::shared_ptr<const Rules> rules_;
};

}  // namespace dbackup::host
