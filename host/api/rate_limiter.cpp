#include "api/rate_limiter.hpp"

#include <algorithm>
#include <functional>

#include "api/proxies.hpp"

namespace dbackup::host {
namespace {
constexpr TimeMs kSweepMs = 1000;
}  // namespace

int64_t RateLimiter::admit(RateBucket bucket, std::string_view client, const RateLimit& limit,
                           TimeMs now) {
  std::string key{static_cast<char>('0' + static_cast<int>(bucket))};
  key += client;
  const TimeMs length = limit.window_seconds * 1000;
  const auto is_over = [&](const Window& window) {
    return now >= window.start + length || now < window.start;
  };
  Shard& shard = shards_[std::hash<std::string>{}(key) % kShards];
  const std::lock_guard lock{shard.mutex};
  if (shard.windows.size() >= kMostWindows && !shard.windows.contains(key)) {
    if (now - shard.swept_at >= kSweepMs || now < shard.swept_at) {
      shard.swept_at = now;
      std::erase_if(shard.windows, [&](const auto& entry) { return is_over(entry.second); });
    }
    // A flood from ever new addresses must cost neither time nor memory, and the clients known before
    // no more than this: one of them starts anew.
    if (shard.windows.size() >= kMostWindows) shard.windows.erase(shard.windows.begin());
  }
  Window& window = shard.windows[std::move(key)];
  if (window.count == 0 || is_over(window)) window = {.start = now, .count = 0};
  if (window.count >= limit.points) {
    return std::max<int64_t>(1, (window.start + length - now + 999) / 1000);
  }
  ++window.count;
  return 0;
}

std::string rate_client(const std::string& address) {
  // Plain IPv4, the usual case, needs no reading.
  if (address.find(':') == std::string::npos) return address;
  auto parsed = parse_ip_address(address);
  if (!parsed) return address;
  constexpr IpAddress kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!std::equal(kMapped.begin(), kMapped.begin() + 12, parsed->begin())) {
    std::fill(parsed->begin() + 8, parsed->end(), uint8_t{0});
  }
  return to_string(*parsed);
}

}  // namespace dbackup::host
