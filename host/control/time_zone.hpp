#pragma once

#include <ctime>
#include <string>

#include "base/clock.hpp"

namespace dbackup::host {

/// Date and time of day in an IANA zone; in UTC when the system does not know the zone.
std::tm local_time(TimeMs at, const std::string& time_zone);

/// Whether the system knows an IANA zone of this name.
bool is_time_zone(const std::string& name);

}  // namespace dbackup::host
