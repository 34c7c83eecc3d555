#include "base/clock.hpp"

#include <date/date.h>
#include <fmt/format.h>

#include <chrono>
#include <sstream>

#include "base/error.hpp"

namespace dbackup::host {

TimeMs SystemClock::now_ms() const {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string format_iso8601(TimeMs time) {
  using namespace std::chrono;
  // Every answer holds several: the library's own formatter goes through a stream each time.
  const date::sys_time<milliseconds> point{milliseconds{time}};
  const auto day = date::floor<date::days>(point);
  const date::year_month_day calendar{day};
  const date::hh_mm_ss clock{point - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(calendar.year()),
                     static_cast<unsigned>(calendar.month()), static_cast<unsigned>(calendar.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

TimeMs parse_iso8601(const std::string& text, const std::string& field) {
  using namespace std::chrono;
  for (const char* format : {"%FT%TZ", "%FT%T%Ez"}) {
    std::istringstream in{text};
    date::sys_time<milliseconds> point;
    in >> date::parse(format, point);
    if (!in.fail() && in.peek() == std::istringstream::traits_type::eof()) {
      return point.time_since_epoch().count();
    }
  }
  throw Error(ErrorCode::InvalidArgument,
              "\"" + field + "\" must be a date like 2026-03-09T02:00:04.117Z");
}

}  // namespace dbackup::host
