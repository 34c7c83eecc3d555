#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"

/// What is seen of adapters over time.
namespace dbackup::host {

/// One answer, or none, to "are you there?".
struct HealthCheck {
  std::string id, adapter_id;
  std::string status =
      "ONLINE";            ///< ONLINE, DEGRADED (1-2 failures in a row), OFFLINE (3 and more)
  int64_t latency_ms = 0;  ///< until the answer or the failure
  std::string error;       ///< "" when it answered
  TimeMs created_at = 0;
};

/// A source's server was found in another version than before.
struct VersionChange {
  std::string id, adapter_id;
  std::string previous_version;  ///< "": seen for the first time
  std::string new_version;
  std::string edition;
  TimeMs detected_at = 0;
};

/// How much lay at a destination.
struct StorageSnapshot {
  std::string id, adapter_id;
  int64_t size_bytes = 0;
  int64_t file_count = 0;
  TimeMs created_at = 0;
};

}  // namespace dbackup::host
