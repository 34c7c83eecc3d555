#include "control/time_zone.hpp"

#include <date/tz.h>

#include "base/logging.hpp"

namespace dbackup::host {

std::tm local_time(TimeMs at, const std::string& time_zone) {
  using namespace std::chrono;
  const auto seconds_utc = floor<seconds>(date::sys_time<milliseconds>{milliseconds{at}});
  auto shown = seconds_utc.time_since_epoch();
  try {
    if (!time_zone.empty() && time_zone != "UTC") {
      shown = date::locate_zone(time_zone)->to_local(seconds_utc).time_since_epoch();
    }
  } catch (const std::exception& error) {
    log_warning("time zone \"" + time_zone + "\" is not known, UTC is used: " + error.what());
  }
  const date::local_seconds local{shown};
  const auto day = floor<date::days>(local);
  const date::year_month_day calendar{day};
  const date::hh_mm_ss clock{local - day};
  std::tm out{};
  out.tm_year = static_cast<int>(calendar.year()) - 1900;
  out.tm_mon = static_cast<int>(static_cast<unsigned>(calendar.month())) - 1;
  out.tm_mday = static_cast<int>(static_cast<unsigned>(calendar.day()));
  out.tm_hour = static_cast<int>(clock.hours().count());
  out.tm_min = static_cast<int>(clock.minutes().count());
  out.tm_sec = static_cast<int>(clock.seconds().count());
  return out;
}

bool is_time_zone(const std::string& name) {
  try {
    date::locate_zone(name);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace dbackup::host
