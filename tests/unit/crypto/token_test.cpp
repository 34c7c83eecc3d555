#include "crypto/token.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "crypto/hash.hpp"

namespace dbackup::host {
namespace {

TEST(ApiKey, HasThePublishedShapeAndIsStoredAsItsHash) {
  const NewApiKey key = generate_api_key();
  EXPECT_EQ(key.raw.reveal().size(), 68U);
  EXPECT_TRUE(is_api_key_shape(key.raw.reveal()));
  EXPECT_EQ(key.prefix, key.raw.reveal().substr(0, 16));
  EXPECT_EQ(key.hash, sha256_hex(key.raw.reveal()));
}

TEST(ApiKey, IsNewEachTime) {
  std::set<std::string> hashes;
  for (int i = 0; i < 100; ++i) hashes.insert(generate_api_key().hash);
  EXPECT_EQ(hashes.size(), 100U);
}

TEST(ApiKey, ShapeRefusesWhatIsNearlyOne) {
  const std::string good = "dbackup_" + std::string(60, 'a');
  EXPECT_TRUE(is_api_key_shape(good));
  EXPECT_FALSE(is_api_key_shape(""));
  EXPECT_FALSE(is_api_key_shape("dbackup_"));
  EXPECT_FALSE(is_api_key_shape(good + "a"));
  EXPECT_FALSE(is_api_key_shape(good.substr(1)));
  EXPECT_FALSE(is_api_key_shape("dbackup-" + std::string(60, 'a')));
  EXPECT_FALSE(is_api_key_shape("dbackup_" + std::string(59, 'a') + "A"));
  EXPECT_FALSE(is_api_key_shape("dbackup_" + std::string(59, 'a') + "g"));
  EXPECT_THROW(api_key_prefix("dbackup_short"), Error);
}

TEST(Token, IsHexadecimalOfTheLengthAskedFor) {
  const SecretString token = random_token(24);
  EXPECT_EQ(token.reveal().size(), 48U);
  EXPECT_TRUE(std::ranges::all_of(
      token.reveal(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }));
  EXPECT_NE(token.reveal(), random_token(24).reveal());
  EXPECT_EQ(hash_token(token.reveal()).size(), 64U);
}

}  // namespace
}  // namespace dbackup::host
