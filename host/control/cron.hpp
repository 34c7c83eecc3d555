#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace dbackup::host {

/// A schedule: five fields (minute, hour, day of month, month, day of week), or six with seconds first.
/// A field is a list of items joined by commas: "*", "?" (the same), a value, a range "a-b", each with
/// a step "/n" if wanted ("a/n" runs to the field's end). Months and days have English names of three
/// letters or more; Sunday is 0 or 7. @yearly, @annually, @monthly, @weekly, @daily, @midnight and
/// @hourly stand for the usual expressions. When day of month and day of week are both given (not
/// just "*"), a day fits that fits either of them.
///
/// When clocks are changed:
///   - an expression that fires in every hour ("*" for hours) goes by elapsed time: it fires at each
///     instant whose local time fits. Times that are skipped do not fire, times that come twice fire
///     twice.
///   - any other fires once for each local time that fits: a time that does not exist that day fires
///     at the first instant after the gap, several such times together once; a time that comes twice
///     fires the first time only.
/// The value of an expression; [any-thread].
class CronSchedule {
 public:
  /// Throws Error{InvalidArgument} that names `field`, the part that is wrong, and why. An expression
  /// that no day fits (30 February) is refused as well.
  static CronSchedule parse(std::string_view expression, std::string_view field = "schedule");

  /// The first time after `time` at which it fires, by the clock of an IANA zone (UTC when the system
  /// does not know it). Whole seconds. nullopt only beyond the years that the calendar knows.
  std::optional<TimeMs> next_after(TimeMs time, const std::string& time_zone) const;

 private:
  friend class CronParser;
  std::optional<int64_t> first_match(int64_t local_seconds) const;
  std::optional<int64_t> time_of_day_from(int64_t second_of_day) const;
  bool fits_day(unsigned month, unsigned day, unsigned weekday) const;

  std::bitset<60> seconds_, minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;      ///< from 1
  std::bitset<13> months_;    ///< from 1
  std::bitset<8> weekdays_;   ///< 0 Sunday to 6
  bool any_day_ = true, any_weekday_ = true;
};

/// For answers: when `expression` fires next after `time`; nullopt as well when it cannot be read.
std::optional<TimeMs> next_fire(const std::string& expression, TimeMs time,
                                const std::string& time_zone) noexcept;

}  // namespace dbackup::host
