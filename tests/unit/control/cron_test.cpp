#include "control/cron.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "control/time_zone.hpp"

namespace dbackup::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The next `count` fires after `from`, as answers show times.
std::vector<std::string> fires(const char* expression, const char* from, size_t count,
                               const char* zone = "UTC") {
  const auto schedule = CronSchedule::parse(expression);
  std::vector<std::string> out;
  std::optional<TimeMs> at = parse_iso8601(from, "from");
  while (out.size() < count && (at = schedule.next_after(*at, zone))) {
    std::string text = format_iso8601(*at);
    out.push_back(text.replace(19, 4, ""));  // no milliseconds
  }
  return out;
}

std::string refusal(const char* expression) {
  try {
    CronSchedule::parse(expression, "schedule");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
    return error.what();
  }
  return "accepted";
}

TEST(Cron, AcceptsWhatSchedulesUse) {
  for (const char* text :
       {"0 3 * * *", "*/5 * * * *", "30 1 * * MON-FRI", "0 0 1,15 JAN,jul *", "15 0 3 * * 7",
        "0 0 * * sunday", "0-30/10 8-18 * * 1-5", "  0  2 * * 0 ", "0 0 ? * MON", "@daily",
        "0 0 * * FRI-SUN", "0 0 29 2 *", "5/20 * * * *", "0 0 31 1-12 *"}) {
    EXPECT_NO_THROW(CronSchedule::parse(text)) << text;
  }
}

TEST(Cron, RefusesNonsense) {
  for (const char* text : {"",
                           "hourly",
                           "* * * *",
                           "60 * * * *",
                           "* 24 * * *",
                           "* * 0 * *",
                           "* * * 13 *",
                           "* * * * 8",
                           "5-1 * * * *",
                           "*/0 * * * *",
                           "1,,2 * * * *",
                           "* * * * * * *",
                           "a * * * *",
                           "-1 * * * *",
                           "1- * * * *",
                           "/5 * * * *",
                           "1/2/3 * * * *",
                           "*/ * * * *",
                           "@reboot",
                           "0 0 L * *",
                           "0 0 * * 5#2",
                           "99999999999 * * * *",
                           "0 0 * JANX1 1-",
                           "0 0 32 * *"}) {
    EXPECT_NE(refusal(text), "accepted") << text;
  }
}

TEST(Cron, NamesTheFieldThatIsWrong) {
  EXPECT_THAT(refusal("60 * * * *"), HasSubstr("\"60\" is no valid minute (0-59)"));
  EXPECT_THAT(refusal("0 25 * * *"), HasSubstr("no valid hour (0-23)"));
  EXPECT_THAT(refusal("0 0 0 * *"), HasSubstr("no valid day of month (1-31)"));
  EXPECT_THAT(refusal("0 0 * FOO *"), HasSubstr("\"FOO\" is no valid month"));
  EXPECT_THAT(refusal("0 0 * * 1-9"), HasSubstr("\"1-9\" is no valid day of week"));
  EXPECT_THAT(refusal("61 0 0 * * *"), HasSubstr("no valid second"));
  EXPECT_THAT(refusal("0 3 * *"),
              HasSubstr("\"schedule\" must be a cron expression of five fields"));
}

TEST(Cron, RefusesWhatNoCalendarHas) {
  EXPECT_THAT(refusal("0 0 30 2 *"), HasSubstr("never fires"));
  EXPECT_THAT(refusal("0 0 31 4,6,9,11 ?"), HasSubstr("\"31\" does not occur"));
  EXPECT_EQ(refusal("0 0 30 2 MON"), "accepted") << "Mondays of February";
  EXPECT_THAT(fires("0 0 30 2 MON", "2026-02-20T00:00:00Z", 2),
              ElementsAre("2026-02-23T00:00:00Z", "2027-02-01T00:00:00Z"));
}

TEST(Cron, FiresAfterTheGivenTimeAndNotAtIt) {
  EXPECT_THAT(fires("0 3 * * *", "2026-03-09T02:59:59.999Z", 2),
              ElementsAre("2026-03-09T03:00:00Z", "2026-03-10T03:00:00Z"));
  EXPECT_THAT(fires("0 3 * * *", "2026-03-09T03:00:00Z", 1), ElementsAre("2026-03-10T03:00:00Z"));
  EXPECT_THAT(fires("0 3 * * *", "2026-03-09T03:00:00.001Z", 1),
              ElementsAre("2026-03-10T03:00:00Z"));
}

TEST(Cron, KnowsSecondsStepsListsNamesAndMacros) {
  EXPECT_THAT(fires("*/20 * * * * *", "2026-03-09T00:00:10Z", 3),
              ElementsAre("2026-03-09T00:00:20Z", "2026-03-09T00:00:40Z", "2026-03-09T00:01:00Z"));
  EXPECT_THAT(fires("5/25 8-9 * * *", "2026-03-09T08:06:00Z", 3),
              ElementsAre("2026-03-09T08:30:00Z", "2026-03-09T08:55:00Z", "2026-03-09T09:05:00Z"));
  EXPECT_THAT(fires("0 0 1,15 JAN,july *", "2026-01-02T00:00:00Z", 3),
              ElementsAre("2026-01-15T00:00:00Z", "2026-07-01T00:00:00Z", "2026-07-15T00:00:00Z"));
  EXPECT_THAT(fires("@weekly", "2026-03-09T00:00:00Z", 1), ElementsAre("2026-03-15T00:00:00Z"));
  for (const char* sunday : {"0 0 * * 0", "0 0 * * 7", "0 0 * * SUN", "0 0 * * 7-7"}) {
    EXPECT_THAT(fires(sunday, "2026-03-09T00:00:00Z", 1), ElementsAre("2026-03-15T00:00:00Z"));
  }
  EXPECT_THAT(fires("0 0 * * SAT-SUN", "2026-03-09T00:00:00Z", 3),
              ElementsAre("2026-03-14T00:00:00Z", "2026-03-15T00:00:00Z", "2026-03-21T00:00:00Z"));
}

TEST(Cron, TakesEitherDayWhenBothAreGiven) {
  EXPECT_THAT(fires("0 0 13 * FRI", "2026-03-09T00:00:00Z", 3),
              ElementsAre("2026-03-13T00:00:00Z", "2026-03-20T00:00:00Z", "2026-03-27T00:00:00Z"));
  EXPECT_THAT(fires("0 0 13 * FRI", "2026-04-10T00:00:00Z", 1),
              ElementsAre("2026-04-13T00:00:00Z"));
  EXPECT_THAT(fires("0 0 13 * ?", "2026-03-14T00:00:00Z", 1), ElementsAre("2026-04-13T00:00:00Z"));
}

TEST(Cron, FindsTheRarestDays) {
  EXPECT_THAT(fires("0 0 29 2 *", "2026-03-01T00:00:00Z", 1), ElementsAre("2028-02-29T00:00:00Z"));
  EXPECT_THAT(fires("0 0 29 2 *", "2096-03-01T00:00:00Z", 1), ElementsAre("2104-02-29T00:00:00Z"))
      << "2100 is no leap year";
}

// Europe/Vienna 2026: 29 March 02:00 → 03:00 (01:00 UTC), 25 October 03:00 → 02:00 (01:00 UTC).

TEST(CronAndClockChanges, FiresOnceAfterTheGapForTimesThatDoNotExist) {
  EXPECT_THAT(fires("30 2 * * *", "2026-03-28T00:00:00Z", 3, "Europe/Vienna"),
              ElementsAre("2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"));
  EXPECT_THAT(fires("*/15 2 * * *", "2026-03-29T00:00:00Z", 2, "Europe/Vienna"),
              ElementsAre("2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"))
      << "four times that do not exist fire together";
  EXPECT_THAT(fires("0 2,3 * * *", "2026-03-29T00:00:00Z", 2, "Europe/Vienna"),
              ElementsAre("2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"));
}

TEST(CronAndClockChanges, FiresInTheFirstPassOnlyForTimesThatComeTwice) {
  EXPECT_THAT(fires("30 2 * * *", "2026-10-24T12:00:00Z", 2, "Europe/Vienna"),
              ElementsAre("2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"));
  EXPECT_THAT(fires("*/20 2 * * *", "2026-10-25T01:10:00Z", 1, "Europe/Vienna"),
              ElementsAre("2026-10-26T01:00:00Z"))
      << "asked within the second pass";
  EXPECT_THAT(fires("* 2-3 * * *", "2026-10-25T00:59:00Z", 1, "Europe/Vienna"),
              ElementsAre("2026-10-25T02:00:00Z"));
}

TEST(CronAndClockChanges, LetsExpressionsOfEveryHourGoByElapsedTime) {
  EXPECT_THAT(fires("0 * * * *", "2026-03-29T00:00:00Z", 2, "Europe/Vienna"),
              ElementsAre("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"));
  EXPECT_THAT(fires("30 * * * *", "2026-10-25T00:00:00Z", 3, "Europe/Vienna"),
              ElementsAre("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"));
}

TEST(CronAndClockChanges, CoverADayThatAZoneLeftOut) {
  // Samoa had no 30 December 2011.
  EXPECT_THAT(fires("0 3 30 12 *", "2011-12-01T00:00:00Z", 1, "Pacific/Apia"),
              ElementsAre("2011-12-30T10:00:00Z"));
}

TEST(Cron, GoesByUtcWhereTheZoneIsUnknown) {
  EXPECT_FALSE(is_time_zone("Mars/Olympus"));
  EXPECT_FALSE(is_time_zone(""));
  EXPECT_TRUE(is_time_zone("UTC"));
  EXPECT_TRUE(is_time_zone("America/New_York"));
  EXPECT_THAT(fires("0 3 * * *", "2026-03-09T00:00:00Z", 1, "Mars/Olympus"),
              ElementsAre("2026-03-09T03:00:00Z"));
}

TEST(Cron, HasNoNextTimeForWhatCannotBeRead) {
  EXPECT_FALSE(next_fire("sometimes", 0, "UTC"));
  EXPECT_FALSE(next_fire("0 0 30 2 *", 0, "UTC"));
  EXPECT_EQ(next_fire("0 0 * * *", 0, "UTC"), 86'400'000);
  EXPECT_FALSE(next_fire("0 0 * * *", INT64_MAX, "UTC")) << "beyond all years";
}

}  // namespace
}  // namespace dbackup::host
