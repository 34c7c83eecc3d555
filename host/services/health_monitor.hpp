#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "base/clock.hpp"
#include "store/database.hpp"

namespace dbackup::host {

struct HealthState {
  bool database_connected = false;
  int64_t uptime_seconds = 0;
  int64_t rss_mib = 0, data_mib = 0, total_mib = 0;
  int64_t response_ms = 0;  ///< of the database, when it was asked last
  TimeMs checked_at = 0;
};

/// Looks at the server every half second, so that health answers come from memory and are at most a
/// second old. [any-thread]
class HealthMonitor {
 public:
  HealthMonitor(Database& database, const Clock& clock);
  ~HealthMonitor();
  HealthMonitor(const HealthMonitor&) = delete;
  HealthMonitor& operator=(const HealthMonitor&) = delete;

  /// Never blocks on the database. A state that could not be renewed for long says disconnected.
  HealthState state() const;

 private:
  void watch();
  HealthState look() const;

  Database& database_;
  const Clock& clock_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  bool is_stopping_ = false;
  HealthState state_;
  std::chrono::steady_clock::time_point looked_at_;
  std::thread thread_;
};

}  // namespace dbackup::host
