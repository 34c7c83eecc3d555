#pragma once

#include <ctime>
#include <string>

#include "base/clock.hpp"

namespace date {
class time_zone;
}

namespace dbackup::host {

/// Date and time of day in an IANA zone; in UTC when the system does not know the zone.
std::tm local_time(TimeMs at, const std::string& time_zone);

/// True for UTC and for every name in the system's zone database.
bool is_time_zone(const std::string& name) noexcept;

/// The zone's rules, which live as long as the process. nullptr stands for UTC: for "UTC", "" and
/// for names that the system does not know.
const date::time_zone* find_time_zone(const std::string& name) noexcept;

}  // namespace dbackup::host
