#include "crypto/age_header.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/id.hpp"

namespace dbackup::host {
namespace {

class AgeHeader : public testing::Test {
 protected:
  std::string make() const {
    return make_age_header(file_key_, std::vector{identity_.recipient()});
  }
  /// The reason for which `text` is refused, or "ok".
  std::string refusal(std::string_view text) const {
    try {
      AgeHeaderReader reader;
      reader.feed(text);
      if (!reader.complete()) return "incomplete";
      return open_age_header(reader, std::vector{identity_}).reveal() == file_key_.reveal()
                 ? "ok"
                 : "another file key";
    } catch (const Error& error) {
      return error.reason();
    }
  }
  static std::string inserted_before_mac(std::string header, std::string_view stanza) {
    return header.insert(header.find("---"), stanza);
  }

  AgeIdentity identity_ = AgeIdentity::generate();
  SecretString file_key_{random_bytes(kAgeFileKeySize)};
};

TEST_F(AgeHeader, GivesTheFileKeyBackAndTakesNoByteOfThePayload) {
  const std::string header = make();
  AgeHeaderReader reader;
  EXPECT_EQ(reader.feed(header + "payload\n"), header.size());
  ASSERT_TRUE(reader.complete());
  EXPECT_EQ(reader.text(), header);
  EXPECT_EQ(reader.feed("more"), 0U);
  EXPECT_EQ(open_age_header(reader, std::vector{identity_}).reveal(), file_key_.reveal());
}

TEST_F(AgeHeader, WithoutAStanzaIsDamaged) {
  EXPECT_EQ(refusal("age-encryption.org/v1\n--- " + std::string(43, 'A') + "\n"), "age_header");
}

TEST_F(AgeHeader, WithAPassphraseBesideAKeyIsDamaged) {
  EXPECT_EQ(refusal(inserted_before_mac(make(), "-> scrypt AAAA 10\n\n")), "age_header");
}

TEST_F(AgeHeader, WithAMalformedStanzaBesideAGoodOneIsDamaged) {
  EXPECT_EQ(refusal(inserted_before_mac(make(), "-> X25519 AAAA\n\n")), "age_header");
}

TEST_F(AgeHeader, WithAStanzaAddedByAStrangerFailsItsMac) {
  EXPECT_EQ(refusal(inserted_before_mac(make(), "-> grease 1 2\n\n")), "age_header_mac");
}

TEST_F(AgeHeader, WithAnotherVersionOrLineEndIsDamaged) {
  std::string header = make();
  EXPECT_EQ(refusal(header), "ok");
  header[20] = '2';
  EXPECT_EQ(refusal(header), "age_header");
  EXPECT_EQ(refusal("age-encryption.org/v1\r\n"), "age_header");
  EXPECT_EQ(refusal("age-encryption.org/v1 \n"), "age_header");
}

}  // namespace
}  // namespace dbackup::host
