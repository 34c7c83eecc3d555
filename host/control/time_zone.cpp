#include "control/time_zone.hpp"

#include <date/tz.h>

#include "base/logging.hpp"

namespace dbackup::host {
namespace {

bool is_utc(const std::string& name) { return name.empty() || name == "UTC"; }

}  // namespace

std::tm local_time(TimeMs at, const std::string& time_zone) {
  using namespace std::chrono;
  const auto seconds_utc = floor<seconds>(date::sys_time<milliseconds>{milliseconds{at}});
  auto shown = seconds_utc.time_since_epoch();
  const date::time_zone* zone = find_time_zone(time_zone);
  if (zone != nullptr) {
    shown = zone->to_local(seconds_utc).time_since_epoch();
  } else if (!is_utc(time_zone)) {
    log_warning("time zone \"" + time_zone + "\" is not known, UTC is used");
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

bool is_time_zone(const std::string& name) noexcept {
  return name == "UTC" || find_time_zone(name) != nullptr;
}

const date::time_zone* find_time_zone(const std::string& name) noexcept {
  if (is_utc(name)) return nullptr;
  try {
    return date::locate_zone(name);
  } catch (...) {  // unknown, or no database at all
    return nullptr;
  }
}

}  // namespace dbackup::host
