#include "control/cron.hpp"

#include <date/tz.h>

#include "base/error.hpp"
#include "control/time_zone.hpp"

namespace dbackup::host {
namespace {

using std::chrono::seconds;

constexpr int64_t kDay = 86'400;
/// The longest wait for a day is that for 29 February over a year 2100.
constexpr int64_t kMostDays = 9 * 366;
/// Of a zone that changes its clocks often, in as many years.
constexpr int kMostPeriods = 100;
/// 9000-01-01; later ones fit neither the calendar nor the answers.
constexpr int64_t kLatest = 221'845'392'000;

template <size_t kSize>
int next_set(const std::bitset<kSize>& bits, size_t from) {
  for (size_t i = from; i < kSize; ++i) {
    if (bits.test(i)) return static_cast<int>(i);
  }
  return -1;
}

/// What the clocks show, in seconds; nullptr is UTC.
class LocalClock {
 public:
  explicit LocalClock(const date::time_zone* zone) : zone_{zone} {}

  struct Period {
    int64_t offset = 0;
    int64_t end = INT64_MAX;  ///< first second after it
  };
  Period period_at(int64_t utc) const {
    if (zone_ == nullptr) return {};
    const auto info = zone_->get_info(date::sys_seconds{seconds{utc}});
    return {.offset = info.offset.count(), .end = info.end.time_since_epoch().count()};
  }

  struct Instant {
    int64_t utc = 0;
    int64_t repeated_until = 0;  ///< local end of the hour that comes twice; 0: it comes once
  };
  /// The first instant that shows `local`, or the end of the gap that it falls into.
  Instant instant_of(int64_t local) const {
    if (zone_ == nullptr) return {.utc = local};
    const auto info = zone_->get_info(date::local_seconds{seconds{local}});
    if (info.result == date::local_info::nonexistent)
      return {.utc = info.first.end.time_since_epoch().count()};
    Instant out{.utc = local - info.first.offset.count()};
    if (info.result == date::local_info::ambiguous)
      out.repeated_until = (info.first.end.time_since_epoch() + info.first.offset).count();
    return out;
  }

 private:
  const date::time_zone* zone_;
};

}  // namespace

bool CronSchedule::fits_day(unsigned month, unsigned day, unsigned weekday) const {
  if (!months_.test(month)) return false;
  if (any_day_ || any_weekday_)
    return (any_day_ || days_.test(day)) && (any_weekday_ || weekdays_.test(weekday));
  return days_.test(day) || weekdays_.test(weekday);
}

std::optional<int64_t> CronSchedule::time_of_day_from(int64_t second_of_day) const {
  const auto h = static_cast<int>(second_of_day / 3600);
  const auto m = static_cast<int>(second_of_day / 60 % 60);
  const auto s = static_cast<int>(second_of_day % 60);
  for (int hour = next_set(hours_, static_cast<size_t>(h)); hour >= 0;
       hour = next_set(hours_, static_cast<size_t>(hour) + 1)) {
    for (int minute = next_set(minutes_, static_cast<size_t>(hour == h ? m : 0)); minute >= 0;
         minute = next_set(minutes_, static_cast<size_t>(minute) + 1)) {
      const bool is_begun = hour == h && minute == m;
      const int second = next_set(seconds_, static_cast<size_t>(is_begun ? s : 0));
      if (second >= 0) return (hour * 60 + minute) * 60 + second;
    }
  }
  return std::nullopt;
}

/// The first local time from `local_seconds` on that fits, whatever any clock makes of it.
std::optional<int64_t> CronSchedule::first_match(int64_t local_seconds) const {
  const auto first = date::floor<date::days>(date::local_seconds{seconds{local_seconds}});
  int64_t from = local_seconds - first.time_since_epoch().count() * kDay;
  for (auto day = first; (day - first).count() <= kMostDays; from = 0) {
    const date::year_month_day calendar{day};
    const auto month = static_cast<unsigned>(calendar.month());
    if (!months_.test(month)) {
      day = date::local_days{(calendar.year() / calendar.month() / date::last)} + date::days{1};
      continue;
    }
    if (fits_day(month, static_cast<unsigned>(calendar.day()), date::weekday{day}.c_encoding())) {
      if (const auto time = time_of_day_from(from))
        return day.time_since_epoch().count() * kDay + *time;
    }
    day += date::days{1};
  }
  return std::nullopt;
}

std::optional<TimeMs> CronSchedule::next_after(TimeMs time, const std::string& time_zone) const {
  const int64_t after = std::chrono::floor<seconds>(std::chrono::milliseconds{time}).count();
  if (after >= kLatest || after <= -kLatest) return std::nullopt;
  const LocalClock clock{find_time_zone(time_zone)};
  if (hours_.all()) {
    // By elapsed time: within each stretch between two changes the local clock runs evenly.
    int64_t at = after + 1;
    for (int i = 0; i < kMostPeriods; ++i) {
      const auto period = clock.period_at(at);
      const auto found = first_match(at + period.offset);
      if (!found) return std::nullopt;
      if (*found - period.offset < period.end) return (*found - period.offset) * 1000;
      at = period.end;
    }
    return std::nullopt;
  }
  auto found = first_match(after + clock.period_at(after).offset + 1);
  while (found) {
    const auto instant = clock.instant_of(*found);
    if (instant.utc > after) return instant.utc * 1000;
    // The second pass of a repeated hour: all of it has fired in the first.
    found = first_match(std::max(*found + 1, instant.repeated_until));
  }
  return std::nullopt;
}

std::optional<TimeMs> next_fire(const std::string& expression, TimeMs time,
                                const std::string& time_zone) noexcept {
  try {
    return CronSchedule::parse(expression).next_after(time, time_zone);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace dbackup::host
