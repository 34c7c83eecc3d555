#include "control/naming.hpp"

#include <gtest/gtest.h>

namespace dbackup::host {
namespace {

constexpr TimeMs kNight = 1'773'021'604'117;  // 2026-03-09T02:00:04.117Z

std::string expanded(const std::string& pattern, const std::string& zone = "UTC") {
  return expand_pattern(pattern, {.job_name = "MMdd", .database = "orders", .at = kNight, .time_zone = zone});
}

TEST(NamingPattern, ReplacesDatesOutsideOfNames) {
  EXPECT_EQ(expanded("{job_name}_yyyy-MM-dd_HH-mm-ss"), "MMdd_2026-03-09_02-00-04");
  EXPECT_EQ(expanded("MMM MMMM {db_name}"), "Mar March orders");
}

TEST(NamingPattern, FollowsTheTimeZone) {
  EXPECT_EQ(expanded("yyyy-MM-dd_HH", "America/New_York"), "2026-03-08_22");
  EXPECT_EQ(expanded("HH", "Nowhere/Land"), "02");
}

TEST(NamingPattern, DropsAnEmptyChainWithOneSeparator) {
  EXPECT_EQ(expanded("{job_name}_{chain}"), "MMdd");
  EXPECT_EQ(expanded("{chain}-{job_name}"), "MMdd");
  EXPECT_EQ(expanded("a_{chain}-b"), "a-b");
}

TEST(NamingPattern, FallsBackToTheStandardName) {
  EXPECT_EQ(expanded(""), "MMdd_2026-03-09_02-00-04");
  EXPECT_EQ(expanded("{chain}"), "MMdd_2026-03-09_02-00-04");
}

TEST(NamingPattern, SaysAllWhenThereIsNoDatabase) {
  EXPECT_EQ(expand_pattern("{db_name}", {.at = kNight}), "all");
}

}  // namespace
}  // namespace dbackup::host
