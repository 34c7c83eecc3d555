#include "control/naming.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "model/backup_name.hpp"

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

TEST(NamingPattern, ShortensNamesAndNeverTheTime) {
  for (const std::string unit : {"x", "é", "数", "😀", "/"}) {
    std::string name;
    for (int i = 0; i < 100; ++i) name += unit;
    const std::string out = expand_pattern(
        "{job_name}_{db_name}_yyyy-MM-dd_HH-mm-ss", {.job_name = name, .database = name, .at = kNight});
    EXPECT_TRUE(out.ends_with("_2026-03-09_02-00-04")) << out;
    EXPECT_LE(encode_path_component(out).size(), kMostStemBytes);
    EXPECT_TRUE(is_text(out)) << out;
  }
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
