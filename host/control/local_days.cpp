#include "control/local_days.hpp"

#include <date/tz.h>

#include <chrono>

#include "base/logging.hpp"

namespace dbackup::host {
namespace {

const date::time_zone* zone_of(const std::string& name) {
  try {
    return name.empty() ? nullptr : date::locate_zone(name);
  } catch (const std::exception& error) {
    log_warning("time zone \"" + name + "\" is not known, UTC is used: " + error.what());
    return nullptr;
  }
}

/// When the day begins: where its midnight is skipped, at the first moment after the gap.
TimeMs start_of(date::local_days day, const date::time_zone* zone) {
  using namespace std::chrono;
  if (zone == nullptr) return duration_cast<milliseconds>(day.time_since_epoch()).count();
  const auto at = zone->to_sys(date::local_seconds{day}, date::choose::earliest);
  return duration_cast<milliseconds>(at.time_since_epoch()).count();
}

date::local_days day_of(TimeMs at, const date::time_zone* zone) {
  using namespace std::chrono;
  const auto moment = floor<seconds>(date::sys_time<milliseconds>{milliseconds{at}});
  const auto local =
      zone == nullptr ? date::local_seconds{moment.time_since_epoch()} : zone->to_local(moment);
  return date::floor<date::days>(local);
}

std::vector<LocalDay> days_from(date::local_days first, date::local_days last,
                                const date::time_zone* zone) {
  std::vector<LocalDay> out;
  TimeMs begins = start_of(first, zone);
  for (auto day = first; day <= last; day += date::days{1}) {
    const TimeMs ends = start_of(day + date::days{1}, zone);
    out.push_back({.date = date::format("%F", day), .begins = begins, .ends = ends});
    begins = ends;
  }
  return out;
}

}  // namespace

std::vector<LocalDay> days_of_year(int year, const std::string& time_zone) {
  const date::year number{year};
  return days_from(date::local_days{number / date::January / 1},
                   date::local_days{number / date::December / 31}, zone_of(time_zone));
}

std::vector<LocalDay> last_days(TimeMs now, int count, const std::string& time_zone) {
  const auto* zone = zone_of(time_zone);
  const auto today = day_of(now, zone);
  return days_from(today - date::days{count - 1}, today, zone);
}

std::vector<LocalDay> last_year(TimeMs now, const std::string& time_zone) {
  const auto* zone = zone_of(time_zone);
  const auto today = day_of(now, zone);
  auto first = date::year_month_day{today} - date::years{1};
  if (!first.ok()) first = first.year() / first.month() / date::last;  // of a 29 February
  return days_from(date::local_days{first}, today, zone);
}

}  // namespace dbackup::host
