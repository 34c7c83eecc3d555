#include "crypto/age_keys.hpp"

#include <gmock/gmock.h>

#include <cctype>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "crypto/bech32.hpp"

namespace dbackup::host {
namespace {

using testing::HasSubstr;

TEST(Bech32, FollowsTheExamplesOfItsSpecification) {
  for (const char* valid : {"A12UEL5L", "a12uel5l", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
                            "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w"}) {
    EXPECT_TRUE(bech32_decode(valid)) << valid;
  }
  for (const char* invalid : {"", "1", "pzry9x0s0muk", "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3",
                              "A1G7SGD8", "10a06t8", "1qzzfhee", "A12uEL5L", "a12uel5m"}) {
    EXPECT_FALSE(bech32_decode(invalid)) << invalid;
  }
}

TEST(Bech32, ReturnsTheBytesItWasGiven) {
  for (size_t size = 0; size < 70; ++size) {
    std::string data(size, '\0');
    for (size_t i = 0; i < size; ++i) data[i] = static_cast<char>(i * 37 + size);
    const auto decoded = bech32_decode(bech32_encode("age", data));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->prefix, "age");
    EXPECT_EQ(decoded->data, data);
  }
}

TEST(AgeIdentity, IsWrittenAndReadBack) {
  const auto identity = AgeIdentity::generate();
  const auto text = identity.to_string();
  EXPECT_TRUE(text.reveal().starts_with("AGE-SECRET-KEY-1"));
  EXPECT_EQ(text.reveal().size(), 74U);
  const auto again = AgeIdentity::parse(text.reveal());
  EXPECT_EQ(again.bytes(), identity.bytes());
  EXPECT_EQ(again.recipient(), identity.recipient());
  const auto recipient = AgeRecipient::parse(identity.recipient().to_string());
  EXPECT_EQ(recipient, identity.recipient());
  EXPECT_NE(AgeIdentity::generate().bytes(), identity.bytes());
}

TEST(AgeIdentity, RefusesOtherTextsWithoutRepeatingThem) {
  const auto identity = AgeIdentity::generate();
  const std::string text{identity.to_string().reveal()};
  std::string lower = text;
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  std::string damaged = text;
  damaged.back() = damaged.back() == 'Q' ? 'P' : 'Q';
  const std::string short_key = bech32_encode("age-secret-key-", std::string(31, 'x'));
  for (const std::string& bad : {std::string{}, lower, damaged, text + "Q", text.substr(1),
                                 " " + text, short_key, identity.recipient().to_string()}) {
    try {
      AgeIdentity::parse(bad);
      ADD_FAILURE() << "taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
      if (bad.size() > 30) {
        EXPECT_THAT(error.what(), testing::Not(HasSubstr(bad.substr(20, 10))));
      }
    }
  }
}

TEST(AgeRecipient, RefusesOtherTexts) {
  const auto identity = AgeIdentity::generate();
  const std::string text = identity.recipient().to_string();
  EXPECT_EQ(text.size(), 62U);
  std::string upper = text;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  for (const std::string& bad :
       {std::string{}, upper, text + "q", text.substr(0, 61),
        bech32_encode("agf", identity.recipient().bytes()),
        bech32_encode("age", std::string(33, 'x')), std::string{identity.to_string().reveal()}}) {
    EXPECT_THROW(AgeRecipient::parse(bad), Error) << bad;
  }
}

TEST(AgeIdentityFile, IsReadAsTheKeyProgramWritesIt) {
  const auto first = AgeIdentity::generate();
  const auto second = AgeIdentity::generate();
  std::string text = "# created: 2026-01-01\n# public key: age1\n\n";
  text += first.to_string().reveal();
  text += "\r\n";
  text += second.to_string().reveal();
  const auto identities = parse_age_identities(text);
  ASSERT_EQ(identities.size(), 2U);
  EXPECT_EQ(identities[0].bytes(), first.bytes());
  EXPECT_EQ(identities[1].bytes(), second.bytes());
}

TEST(AgeIdentityFile, NamesTheLineThatIsNoIdentity) {
  try {
    parse_age_identities("# comment\nnonsense\n");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("line 2"));
  }
  EXPECT_THROW(parse_age_identities("# only comments\n"), Error);
}

TEST(X25519, FollowsRfc7748) {
  const auto scalar = from_hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
  const auto point = from_hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
  EXPECT_EQ(to_hex(x25519(*scalar, *point).reveal()),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
}

TEST(X25519, RefusesAPointOfLowOrder) {
  const auto identity = AgeIdentity::generate();
  try {
    x25519(identity.bytes(), std::string(32, '\0'));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::DataLoss);
  }
}

}  // namespace
}  // namespace dbackup::host
