#include "crypto/hash.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace dbackup::host {
namespace {

std::string bytes(std::string_view hex) { return from_hex(hex).value(); }

TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, GivesTheSameInPiecesAndStartsAnewAfterFinish) {
  Sha256 hash;
  for (int round = 0; round < 2; ++round) {
    hash.update("a");
    hash.update("");
    hash.update(std::as_bytes(std::span{std::string_view{"bc"}}));
    EXPECT_EQ(hash.finish_hex(), sha256_hex("abc"));
  }
}

TEST(Md5, GivesThePublishedDigest) {
  Md5 hash;
  hash.update("message digest");
  EXPECT_EQ(hash.finish_hex(), "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST(HmacSha256, FollowsRfc4231) {
  EXPECT_EQ(to_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(std::string(20, '\xaa'), std::string(50, '\xdd'))),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(to_hex(hmac_sha256(std::string(131, '\xaa'),
                               "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256, TakesAnEmptyKeyAndAnEmptyMessage) {
  EXPECT_EQ(to_hex(hmac_sha256("", "")),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(HkdfSha256, FollowsRfc5869) {
  EXPECT_EQ(to_hex(hkdf_sha256(std::string(22, '\x0b'), bytes("000102030405060708090a0b0c"),
                               bytes("f0f1f2f3f4f5f6f7f8f9"), 42)
                       .reveal()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(to_hex(hkdf_sha256(std::string(22, '\x0b'), "", "", 42).reveal()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(HkdfSha256, RefusesLengthsAndSecretsOutsideItsLimits) {
  EXPECT_THROW(hkdf_sha256("secret", "", "", 0), Error);
  EXPECT_THROW(hkdf_sha256("secret", "", "", 8161), Error);
  EXPECT_THROW(hkdf_sha256("", "salt", "", 32), Error);
  EXPECT_EQ(hkdf_sha256("secret", "", "", 8160).reveal().size(), 8160U);
}

TEST(ConstantTimeEqual, ComparesLengthAndBytes) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("abc", "abc"));
  EXPECT_FALSE(constant_time_equal("abc", "abd"));
  EXPECT_FALSE(constant_time_equal("abc", "ab"));
}

TEST(Hashes, MayBeUsedFromManyThreadsAtOnce) {
  const std::string expected = sha256_hex("abc");
  const std::string expected_mac = hmac_sha256("key", "abc");
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (auto& count : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        if (sha256_hex("abc") != expected || hmac_sha256("key", "abc") != expected_mac) ++count;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace dbackup::host
