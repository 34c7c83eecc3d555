#pragma once

#include <string>

#include "base/clock.hpp"

namespace dbackup::host {

struct NameValues {
  std::string job_name, database;  ///< database "": "all"
  TimeMs at = 0;
  std::string time_zone = "UTC";  ///< an unknown zone counts as UTC
};

/// Expands a naming pattern: `yyyy MM MMM MMMM dd HH mm ss` in the time zone, `{job_name}`, `{db_name}`,
/// `{chain}` (always empty: one separator beside it goes with it). Dates are replaced outside of braces
/// only. An empty outcome is that of the standard pattern. Names are shortened until the outcome, encoded,
/// has at most kMostStemBytes.
std::string expand_pattern(const std::string& pattern, const NameValues& values);

}  // namespace dbackup::host
