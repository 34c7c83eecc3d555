#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// Statuses of runs, in the order of StatusCounts.
inline constexpr std::array<std::string_view, 6> kRunStatuses{"Pending", "Running", "Success",
                                                              "Partial", "Failed",  "Cancelled"};

struct StatusCounts {
  int64_t pending = 0, running = 0, success = 0, partial = 0, failed = 0, cancelled = 0;
  int64_t total() const { return pending + running + success + partial + failed + cancelled; }
};

/// From `begins` up to, not including, `ends`.
struct TimeSpan {
  TimeMs begins = 0, ends = 0;
};

struct StoredSize {
  std::string destination_id;
  int64_t count = 0, bytes = 0;
  TimeMs seen_at = 0;  ///< newest listing that showed one of them
};

/// Counts over many rows, out of indexes alone.
class StatisticsStore {
 public:
  /// Runs that started in each of the spans; `type` "": of any.
  std::vector<StatusCounts> runs(Session& session, const std::string& type,
                                 const std::vector<TimeSpan>& spans) const;
  /// First and last start of runs of that type; nullopt: there is none.
  std::optional<TimeSpan> extent(Session& session, const std::string& type) const;
  /// Whether a run of that type started in the span.
  bool has_run(Session& session, const std::string& type, const TimeSpan& span) const;
  struct Jobs {
    int64_t all = 0, enabled = 0;
  };
  Jobs jobs(Session& session) const;
  /// By destination, of those that have any backup.
  std::vector<StoredSize> stored(Session& session) const;
};

}  // namespace dbackup::host
