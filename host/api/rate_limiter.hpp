#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "api/route_table.hpp"
#include "base/clock.hpp"

namespace dbackup::host {

struct RateLimit {
  int64_t points = 1;          ///< requests a window
  int64_t window_seconds = 1;  ///< counted from a client's first request in it
};

/// Counts requests of each client in fixed windows. Bounded in memory; limits may change while
/// counters stay. [any-thread]
class RateLimiter {
 public:
  /// Counts one request. 0: admitted; else the seconds until the window ends, at least 1.
  int64_t admit(RateBucket bucket, std::string_view client, const RateLimit& limit, TimeMs now);

 private:
  struct Window {
    TimeMs start = 0;
    int64_t count = 0;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Window> windows;
    TimeMs swept_at = 0;
  };
  static constexpr size_t kShards = 16;
  static constexpr size_t kMostWindows = 4096;  // in a shard

  std::array<Shard, kShards> shards_;
};

/// Whom a counter belongs to: an IPv4 address, or the /64 network of an IPv6 one, since that is
/// what one client is given.
std::string rate_client(const std::string& address);

}  // namespace dbackup::host
