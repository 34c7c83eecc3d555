#include "base/clock.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

TEST(Clock, WritesTimesWithMillisecondsInUtc) {
  EXPECT_EQ(format_iso8601(1'773'021'604'117), "2026-03-09T02:00:04.117Z");
  EXPECT_EQ(format_iso8601(0), "1970-01-01T00:00:00.000Z");
}

TEST(Clock, ReadsWhatItWrites) {
  for (const TimeMs time : {TimeMs{0}, TimeMs{1}, TimeMs{1'773'021'604'117}, TimeMs{4'102'444'799'999}}) {
    EXPECT_EQ(parse_iso8601(format_iso8601(time), "t"), time);
  }
}

TEST(Clock, ReadsTimesWithoutFractionAndWithOffset) {
  EXPECT_EQ(parse_iso8601("2026-03-09T02:00:04Z", "t"), 1'773'021'604'000);
  EXPECT_EQ(parse_iso8601("2026-03-09T04:00:04+02:00", "t"), 1'773'021'604'000);
}

TEST(Clock, RefusesAnythingElseNamingTheField) {
  for (const char* text : {"", "yesterday", "2026-03-09", "2026-13-09T02:00:04Z", "2026-03-09T02:00:04Zx"}) {
    try {
      parse_iso8601(text, "expiresAt");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("\"expiresAt\""), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace dbackup::host
