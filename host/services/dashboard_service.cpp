#include "services/dashboard_service.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "control/control_plane.hpp"
#include "control/local_days.hpp"
#include "control/time_zone.hpp"
#include "store/adapter_store.hpp"
#include "store/execution_store.hpp"

namespace dbackup::host {
namespace {

constexpr TimeMs kMinute = 60'000;
constexpr TimeMs kDay = 86'400'000;
constexpr const char* kBackup = "Backup";

}  // namespace

std::vector<DashboardService::Day> DashboardService::counted(const std::string& question,
                                                             const std::string& type,
                                                             const std::vector<LocalDay>& days) {
  return days_.get(
      question + " " + days.front().date + " " + std::to_string(days.front().begins), [&] {
        std::vector<TimeSpan> spans;
        for (const LocalDay& day : days) spans.push_back({.begins = day.begins, .ends = day.ends});
        std::vector<StatusCounts> counts;
        control_.context().database.read(
            [&](Session& session) { counts = StatisticsStore{}.runs(session, type, spans); });
        std::vector<Day> out;
        for (size_t i = 0; i < days.size(); ++i)
          out.push_back({.date = days[i].date, .runs = counts[i]});
        return out;
      });
}

std::vector<DashboardService::Day> DashboardService::calendar(std::optional<int> year) {
  const std::string zone = control_.context().settings().time_zone;
  if (year) return counted("year " + zone, kBackup, days_of_year(*year, zone));
  return counted("lately " + zone, kBackup, last_year(control_.context().clock.now_ms(), zone));
}

std::vector<int> DashboardService::years() {
  const std::string zone = control_.context().settings().time_zone;
  std::vector<int> out;
  control_.context().database.read([&](Session& session) {
    const auto extent = StatisticsStore{}.extent(session, kBackup);
    if (!extent) return;
    const int first = local_time(extent->begins, zone).tm_year + 1900;
    const int last = local_time(extent->ends, zone).tm_year + 1900;
    for (int year = first; year <= last; ++year) {
      const auto days = days_of_year(year, zone);
      if (StatisticsStore{}.has_run(session, kBackup,
                                    {.begins = days.front().begins, .ends = days.back().ends}))
        out.push_back(year);
    }
  });
  return out;
}

std::vector<DashboardService::Day> DashboardService::activity(int days) {
  const std::string zone = control_.context().settings().time_zone;
  return counted("activity " + std::to_string(days) + " " + zone, "",
                 last_days(control_.context().clock.now_ms(), days, zone));
}

/// The last day and the last 30 days, up to the minute, so that repeated questions are the same.
std::vector<StatusCounts> DashboardService::runs(const std::vector<TimeSpan>& spans) {
  std::string question;
  for (const TimeSpan& span : spans) question += std::to_string(span.begins / kMinute) + " ";
  return counts_.get(question, [&] {
    std::vector<StatusCounts> out;
    control_.context().database.read(
        [&](Session& session) { out = StatisticsStore{}.runs(session, "", spans); });
    return out;
  });
}

std::vector<StoredSize> DashboardService::stored() {
  return sizes_.get("", [&] {
    std::vector<StoredSize> out;
    control_.context().database.read(
        [&](Session& session) { out = StatisticsStore{}.stored(session); });
    return out;
  });
}

DashboardService::Stats DashboardService::stats() {
  const TimeMs now = control_.context().clock.now_ms();
  // A run that began a moment ago counts, whatever the clock of its host says.
  const TimeMs end = now + kDay;
  const auto counts =
      runs({{.begins = now - kDay, .ends = end}, {.begins = now - 30 * kDay, .ends = end}});
  Stats out{.success_24h = counts[0].success, .failed_24h = counts[0].failed};
  const StatusCounts& month = counts[1];
  if (const int64_t ended = month.success + month.partial + month.failed; ended > 0) {
    out.success_rate_30d =
        std::round(1000.0 * static_cast<double>(month.success) / static_cast<double>(ended)) / 10;
  }
  const auto jobs = jobs_.get("", [&] {
    StatisticsStore::Jobs found;
    control_.context().database.read(
        [&](Session& session) { found = StatisticsStore{}.jobs(session); });
    return found;
  });
  out.jobs = jobs.all;
  out.active_schedules = jobs.enabled;
  for (const StoredSize& row : stored()) {
    out.snapshots += row.count;
    out.bytes += row.bytes;
  }
  return out;
}

StatusCounts DashboardService::last_30_days() {
  const TimeMs now = control_.context().clock.now_ms();
  return runs({{.begins = now - 30 * kDay, .ends = now + kDay}}).front();
}

DashboardService::Storage DashboardService::storage() {
  Storage out;
  std::map<std::string, StoredSize> sizes;
  for (StoredSize& row : stored()) sizes[row.destination_id] = std::move(row);
  control_.context().database.read([&](Session& session) {
    for (const AdapterConfig& adapter : AdapterStore{}.list(session, "storage")) {
      if (adapter.storage_role != "DESTINATION") continue;
      const StoredSize& size = sizes[adapter.id];
      out.destinations.push_back({.config_id = adapter.id,
                                  .name = adapter.name,
                                  .adapter_id = adapter.adapter_id,
                                  .bytes = size.bytes,
                                  .count = size.count,
                                  .scan_error = adapter.last_error});
      if (size.seen_at > 0) out.updated_at = std::max(out.updated_at.value_or(0), size.seen_at);
    }
  });
  return out;
}

std::vector<Execution> DashboardService::latest(int64_t limit) {
  std::vector<Execution> out;
  control_.context().database.read(
      [&](Session& session) { out = ExecutionStore{}.newest(session, limit); });
  return out;
}

}  // namespace dbackup::host
