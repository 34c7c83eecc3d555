#include "services/principal_cache.hpp"

#include <gtest/gtest.h>

namespace dbackup::host {
namespace {

constexpr TimeMs kLater = 1'000'000;

std::shared_ptr<const Principal> caller() { return std::make_shared<Principal>(); }

TEST(PrincipalCache, RemembersACallerForAFewSeconds) {
  PrincipalCache cache;
  const auto who = caller();
  cache.remember("hash", who, 1'000, kLater, cache.find("hash", 1'000).generation);
  EXPECT_EQ(cache.find("hash", 3'999).principal, who);
  EXPECT_EQ(cache.find("hash", 4'000).principal, nullptr);
  EXPECT_EQ(cache.find("other", 1'000).principal, nullptr);
}

TEST(PrincipalCache, DoesNotOutliveWhatTheCallerShowed) {
  PrincipalCache cache;
  cache.remember("hash", caller(), 1'000, 1'500, cache.find("hash", 1'000).generation);
  EXPECT_NE(cache.find("hash", 1'499).principal, nullptr);
  EXPECT_EQ(cache.find("hash", 1'500).principal, nullptr);
}

TEST(PrincipalCache, DropsALookUpThatBeganBeforeAChange) {
  PrincipalCache cache;
  const auto before = cache.find("hash", 1'000);
  cache.forget_all();
  cache.remember("hash", caller(), 1'001, kLater, before.generation);
  EXPECT_EQ(cache.find("hash", 1'002).principal, nullptr);
}

TEST(PrincipalCache, ForgetsEverybodyAfterAChange) {
  PrincipalCache cache;
  cache.remember("hash", caller(), 1'000, kLater, cache.find("hash", 1'000).generation);
  cache.forget_all();
  EXPECT_EQ(cache.find("hash", 1'001).principal, nullptr);
}

}  // namespace
}  // namespace dbackup::host
