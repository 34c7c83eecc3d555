#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"

namespace dbackup::host {

/// A day as people of a time zone know it: 23 to 25 hours where clocks are changed.
struct LocalDay {
  std::string date;  ///< yyyy-MM-dd
  TimeMs begins = 0, ends = 0;
};

/// All days of a year; of a zone that the system does not know, those of UTC.
std::vector<LocalDay> days_of_year(int year, const std::string& time_zone);
/// The last `count` days, the one of `now` included.
std::vector<LocalDay> last_days(TimeMs now, int count, const std::string& time_zone);
/// The last twelve months, from the day of the same date to the one of `now`.
std::vector<LocalDay> last_year(TimeMs now, const std::string& time_zone);

}  // namespace dbackup::host
