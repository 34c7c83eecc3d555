#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/nouns.hpp"
#include "services/kept_answers.hpp"
#include "store/statistics_store.hpp"

namespace dbackup::host {

class ControlPlane;

/// Counts for people. What takes long to count may be some seconds old: see KeptAnswers. [any-thread]
class DashboardService {
 public:
  explicit DashboardService(ControlPlane& control) : control_{control} {}

  struct Day {
    std::string date;  ///< yyyy-MM-dd in the system time zone
    StatusCounts runs;
  };
  /// Backups of each day of the year; without one, of the last twelve months up to today.
  std::vector<Day> calendar(std::optional<int> year);
  /// Years in which a backup started, oldest first.
  std::vector<int> years();
  /// Runs of all types, of each of the last days.
  std::vector<Day> activity(int days);

  struct Stats {
    int64_t jobs = 0, active_schedules = 0;
    int64_t success_24h = 0, failed_24h = 0;
    int64_t snapshots = 0, bytes = 0;
    double success_rate_30d = 100;  ///< per cent of those that ended, cancelled ones left out
  };
  Stats stats();
  StatusCounts last_30_days();

  struct Destination {
    std::string config_id, name, adapter_id;
    int64_t bytes = 0, count = 0;
    std::string scan_error;  ///< why it could not be reached lately; "": it can be
  };
  struct Storage {
    std::vector<Destination> destinations;
    std::optional<TimeMs> updated_at;  ///< newest listing of any
  };
  Storage storage();
  std::vector<Execution> latest(int64_t limit);

 private:
  std::vector<Day> counted(const std::string& question, const std::string& type,
                           const std::vector<struct LocalDay>& days);
  std::vector<StatusCounts> runs(const std::vector<TimeSpan>& spans);
  std::vector<StoredSize> stored();

  ControlPlane& control_;
  KeptAnswers<std::vector<Day>> days_;
  KeptAnswers<std::vector<StatusCounts>> counts_;
  KeptAnswers<std::vector<StoredSize>> sizes_;
  KeptAnswers<StatisticsStore::Jobs> jobs_;
};

}  // namespace dbackup::host
