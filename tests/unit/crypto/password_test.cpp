#include "crypto/password.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "crypto/totp.hpp"

namespace dbackup::host {
namespace {

TEST(Password, IsVerifiedByItsHashAlone) {
  const std::string hash = hash_password(SecretString{"correct horse"});
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_TRUE(verify_password(SecretString{"correct horse"}, hash));
  EXPECT_FALSE(verify_password(SecretString{"correct horse "}, hash));
  EXPECT_FALSE(verify_password(SecretString{""}, hash));
  EXPECT_NE(hash, hash_password(SecretString{"correct horse"})) << "each has its own salt";
}

TEST(Password, FitsNoTextThatIsNoHashOfOurs) {
  for (const char* hash : {"", "x", "$argon2id$", "$2b$10$abcdefghijklmnopqrstuv", "plain"})
    EXPECT_FALSE(verify_password(SecretString{"\x01nobody"}, hash)) << hash;
}

// The vectors of RFC 6238 appendix B for SHA-1, cut to six digits.
TEST(Totp, GivesTheCodesOfTheStandard) {
  const SecretString secret{"12345678901234567890"};
  EXPECT_EQ(totp_code(secret, 59), "287082");
  EXPECT_EQ(totp_code(secret, 1111111109), "081804");
  EXPECT_EQ(totp_code(secret, 1234567890), "005924");
  EXPECT_EQ(totp_code(secret, 2000000000), "279037");
  EXPECT_EQ(totp_code(secret, 20000000000), "353130");
}

TEST(Totp, TakesTheCodesOfOneStepToEitherSide) {
  const SecretString secret = new_totp_secret();
  const int64_t now = 1'700'000'000;
  for (const int64_t off : {-30, 0, 30})
    EXPECT_EQ(totp_step_of(secret, totp_code(secret, now + off), now), (now + off) / 30) << off;
  const std::string far = totp_code(secret, now + 90);
  const bool is_another = far != totp_code(secret, now) && far != totp_code(secret, now + 30) &&
                          far != totp_code(secret, now - 30);
  EXPECT_NE(totp_step_of(secret, far, now).has_value(), is_another);
  for (const char* bad : {"", "12345", "1234567", "abcdef"})
    EXPECT_FALSE(totp_step_of(secret, bad, now)) << bad;
}

TEST(Totp, NamesIssuerAndAccountInItsAddress) {
  EXPECT_EQ(totp_uri(SecretString{"12345678901234567890"}, "My Backups", "a@b.c"),
            "otpauth://totp/"
            "My%20Backups:a%40b.c?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=My%20Backups"
            "&algorithm=SHA1&digits=6&period=30");
}

}  // namespace
}  // namespace dbackup::host
