#include <date/tz.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

#include "control/cron.hpp"

/// The next fire against a walk over all minutes, across changes of clocks. rapidcheck prints its
/// seed; RC_PARAMS="seed=…" repeats a run, "max_success=…" makes it longer.
namespace dbackup::host {
namespace {

constexpr const char* kZones[] = {"UTC",
                                  "Europe/Vienna",
                                  "America/New_York",
                                  "Asia/Kolkata",
                                  "Australia/Lord_Howe",
                                  "America/Sao_Paulo",
                                  "Africa/Casablanca",
                                  "Pacific/Apia"};
constexpr int64_t kFirst = 946'684'800;   // 2000-01-01
constexpr int64_t kLast = 2'114'380'800;  // 2037-01-01

/// One field, as a text and as what it means.
struct Field {
  std::string text;
  std::set<int> values;
  bool is_star = false;
};

Field any_field(int minimum, int maximum) {
  const int top = maximum;
  const int kind = *rc::gen::inRange(0, 5);
  Field out;
  const auto add = [&](int first, int last, int step) {
    for (int i = first; i <= last; i += step) out.values.insert(i);
  };
  if (kind <= 1) {
    out = {.text = "*", .is_star = true};
    add(minimum, top, 1);
  } else if (kind == 2) {
    const int step = *rc::gen::inRange(2, maximum + 1);
    out.text = "*/" + std::to_string(step);
    add(minimum, top, step);
  } else if (kind == 3) {
    const int first = *rc::gen::inRange(minimum, maximum + 1);
    const int last = *rc::gen::inRange(first, maximum + 1);
    out.text = std::to_string(first) + "-" + std::to_string(last);
    add(first, last, 1);
  } else {
    for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
      const int value = *rc::gen::inRange(minimum, maximum + 1);
      out.text += (out.text.empty() ? "" : ",") + std::to_string(value);
      out.values.insert(value);
    }
  }
  return out;
}

struct Expression {
  Field minute = any_field(0, 59), hour = any_field(0, 23), day = any_field(1, 31),
        month = any_field(1, 12), weekday = any_field(0, 6);
  std::string text() const {
    return minute.text + " " + hour.text + " " + day.text + " " + month.text + " " + weekday.text;
  }
  bool fits(date::local_seconds local) const {
    const auto days = date::floor<date::days>(local);
    const date::year_month_day ymd{days};
    const date::hh_mm_ss time{local - days};
    const bool day_fits = day.values.contains(static_cast<int>(static_cast<unsigned>(ymd.day())));
    const bool weekday_fits =
        weekday.values.contains(static_cast<int>(date::weekday{days}.c_encoding()));
    const bool both = day.is_star || weekday.is_star;
    return minute.values.contains(static_cast<int>(time.minutes().count())) &&
           hour.values.contains(static_cast<int>(time.hours().count())) &&
           month.values.contains(static_cast<int>(static_cast<unsigned>(ymd.month()))) &&
           (both ? day_fits && weekday_fits : day_fits || weekday_fits);
  }
};

/// Minute by minute, by what the clock shows alone.
std::vector<int64_t> walk(const Expression& expression, const date::time_zone* zone, int64_t from,
                          int64_t to) {
  using std::chrono::minutes;
  using std::chrono::seconds;
  const bool every_hour = expression.hour.values.size() == 24;
  std::vector<int64_t> out;
  // From before, so that it is known which times were shown already.
  auto before = zone->to_local(date::sys_seconds{seconds{from - 60}});
  auto latest = before;
  for (int64_t back = from - 86'400; back < from; back += 60) {
    latest = std::max(latest, zone->to_local(date::sys_seconds{seconds{back}}));
  }
  for (int64_t at = from; at < to; at += 60) {
    const auto local = zone->to_local(date::sys_seconds{seconds{at}});
    const bool is_repeated = local <= latest;
    bool fires = expression.fits(local) && (every_hour || !is_repeated);
    for (auto skipped = before + minutes{1}; !every_hour && skipped < local;
         skipped += minutes{1}) {
      fires = fires || (expression.fits(skipped) && skipped > latest);
    }
    if (fires) out.push_back(at);
    before = local;
    latest = std::max(latest, local);
  }
  return out;
}

TEST(CronProperty, NextFireIsWhatAWalkOverTheMinutesFinds) {
  EXPECT_TRUE(rc::check([] {
    const std::string name =
        *rc::gen::elementOf(std::vector<std::string>{std::begin(kZones), std::end(kZones)});
    const date::time_zone* zone = date::locate_zone(name);
    // Half of the walks cross a change of clocks, where the zone has any.
    int64_t from = *rc::gen::inRange(kFirst, kLast) / 60 * 60;
    if (*rc::gen::arbitrary<bool>()) {
      const auto change = zone->get_info(date::sys_seconds{std::chrono::seconds{from}}).end;
      const int64_t end = change.time_since_epoch().count();
      if (end < kLast && end % 60 == 0) from = end - 60 * *rc::gen::inRange<int64_t>(0, 2 * 1440);
    }
    const int64_t to = from + 3 * 86'400;
    const Expression expression;
    RC_LOG() << name << ", " << expression.text() << ", from " << format_iso8601(from * 1000)
             << "\n";
    std::optional<CronSchedule> schedule;
    try {
      schedule = CronSchedule::parse(expression.text());
    } catch (const std::exception&) {
      RC_ASSERT(expression.weekday.is_star);  // only days that do not exist are refused
      RC_DISCARD("never fires");
    }
    std::vector<int64_t> found;
    for (auto at = schedule->next_after(from * 1000 - 1, name); at && *at < to * 1000;
         at = schedule->next_after(*at, name)) {
      found.push_back(*at / 1000);
    }
    RC_ASSERT(found == walk(expression, zone, from, to));
  }));
}

}  // namespace
}  // namespace dbackup::host
