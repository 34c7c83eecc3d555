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
  const date::sys_time<milliseconds> point{milliseconds{time}};
  return date::format("%FT%TZ", point);
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
