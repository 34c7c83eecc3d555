#include "crypto/certificate.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

constexpr TimeMs kNow = 1'773'021'604'000;  // 2026-03-09
constexpr TimeMs kDay = TimeMs{24} * 3600 * 1000;

std::string refusal(const CertificatePair& pair, TimeMs now = kNow) {
  try {
    check_certificate_pair(pair, now);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
    return error.what();
  }
}

TEST(Certificate, MadeHereSaysWhoItIsAndFitsItsKey) {
  const auto pair = make_self_signed({"backup.example.net", "127.0.0.1", "::1"}, kNow, 397);
  EXPECT_EQ(refusal(pair), "");
  const auto info = inspect_certificate(pair.certificate_pem);
  EXPECT_EQ(info.subject, "CN=backup.example.net");
  EXPECT_EQ(info.issuer, info.subject);
  EXPECT_TRUE(info.is_self_signed);
  EXPECT_EQ(info.valid_from, kNow - kDay);
  EXPECT_EQ(info.valid_to, kNow + 396 * kDay);
  EXPECT_EQ(info.fingerprint.size(), 95u);
  EXPECT_EQ(info.fingerprint[2], ':');
  EXPECT_FALSE(info.serial_number.empty());
  EXPECT_NE(info.serial_number.front(), '-');
}

TEST(Certificate, IsAnotherEachTime) {
  const auto one = inspect_certificate(make_self_signed({"a"}, kNow, 30).certificate_pem);
  const auto two = inspect_certificate(make_self_signed({"a"}, kNow, 30).certificate_pem);
  EXPECT_NE(one.serial_number, two.serial_number);
  EXPECT_NE(one.fingerprint, two.fingerprint);
}

TEST(Certificate, PairIsRefusedByTheFieldThatIsWrong) {
  const auto one = make_self_signed({"one"}, kNow, 30);
  const auto two = make_self_signed({"two"}, kNow, 30);
  const auto contains = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(contains(refusal({"nonsense", one.key_pem}), "\"certificate\""));
  EXPECT_TRUE(
      contains(refusal({std::string{one.key_pem.reveal()}, one.key_pem}), "\"certificate\""));
  EXPECT_TRUE(contains(refusal({one.certificate_pem, SecretString{"nonsense"}}), "\"privateKey\""));
  EXPECT_TRUE(contains(refusal({one.certificate_pem, SecretString{one.certificate_pem}}),
                       "\"privateKey\""));
  EXPECT_TRUE(contains(refusal({one.certificate_pem, two.key_pem}), "does not belong"));
  EXPECT_TRUE(contains(refusal(one, kNow + 31 * kDay), "has expired"));
}

TEST(Certificate, KeyWithAPassphraseIsRefusedWithoutAskingForIt) {
  // openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes128 -pass pass:secret
  const std::string locked =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgAAAAAAAAAAAICCAAw\n"
      "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEAAAAAAAAAAAAAAAAAAAAAAEgZAA\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n";
  const auto pair = make_self_signed({"one"}, kNow, 30);
  EXPECT_NE(refusal({pair.certificate_pem, SecretString{locked}}).find("without a passphrase"),
            std::string::npos);
}

}  // namespace
}  // namespace dbackup::host
