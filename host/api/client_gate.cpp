#include "api/client_gate.hpp"

namespace dbackup::host {
namespace {

RateLimit limit(const Settings& settings, const std::string& bucket) {
  return {.points = settings.integer("rate_limits." + bucket + "_points"),
          .window_seconds = settings.integer("rate_limits." + bucket + "_duration")};
}

}  // namespace

RateLimits rate_limits(const Settings& settings) {
  return {.enabled = settings.flag("rate_limits.enabled"),
          .auth = limit(settings, "auth"),
          .api = limit(settings, "api"),
          .mutation = limit(settings, "mutation")};
}

ClientGate::ClientGate(const LiveSettings& live, const Clock& clock) : live_{live}, clock_{clock} {
  rules();
}

std::shared_ptr<const ClientGate::Rules> ClientGate::rules() {
  auto settings = live_.now();
  const std::lock_guard lock{mutex_};
  if (!rules_ || rules_->made_from != settings) {
    // The counters stay: only what they are compared with changes.
    auto next = std::make_shared<Rules>();
    next->proxies = TrustedProxies{settings->text("server.trusted_proxies")};
    next->limits = rate_limits(*settings);
    next->made_from = std::move(settings);
    rules_ = std::move(next);
  }
  return rules_;
}

std::optional<HttpResponse> ClientGate::admit(HttpRequest& head) {
  const auto rules = this->rules();
  if (head.headers.contains("X-Forwarded-For")) {
    head.client_address = rules->proxies.client_address(head.client_address,
                                                        head.headers.find_all("X-Forwarded-For"));
  }
  if (!rules->limits.enabled) return std::nullopt;
  const RateBucket bucket = rate_bucket(head.method, head.segments);
  if (bucket == RateBucket::None) return std::nullopt;
  const RateLimit& limit = bucket == RateBucket::Auth  ? rules->limits.auth
                           : bucket == RateBucket::Api ? rules->limits.api
                                                       : rules->limits.mutation;
  const int64_t wait =
      limiter_.admit(bucket, rate_client(head.client_address), limit, clock_.now_ms());
  if (wait == 0) return std::nullopt;
  HttpResponse refusal =
      HttpResponse::error(429, "too many requests: try again in " + std::to_string(wait) + " s");
  refusal.headers.set("Retry-After", std::to_string(wait));
  return refusal;
}

}  // namespace dbackup::host
