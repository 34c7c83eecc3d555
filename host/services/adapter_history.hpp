#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/observation.hpp"

namespace dbackup::host {

class ControlPlane;

struct HealthHistory {
  std::vector<HealthCheck> checks;  ///< newest first
  double uptime_percent = 0;        ///< share of ONLINE among them, two decimals
  int64_t average_latency_ms = 0;   ///< of those that answered
};

/// What was seen of adapters over time. Store only; all throw Error{NotFound} for an unknown
/// adapter. [any-thread]
class AdapterHistory {
 public:
  explicit AdapterHistory(ControlPlane& control) : control_{control} {}

  /// Those at `from` and later; at most the newest 1,000, however large `limit` is.
  HealthHistory health(const std::string& id, TimeMs from, int64_t limit);
  /// Newest first, 1 to 500 whatever `limit` says.
  std::vector<VersionChange> versions(const std::string& id, int64_t limit);
  /// Oldest first, of the last 1 to 365 days whatever `days` says. Throws Error{InvalidArgument}
  /// unless a storage.
  std::vector<StorageSnapshot> storage(const std::string& id, int64_t days);

 private:
  ControlPlane& control_;
};

}  // namespace dbackup::host
