#include "crypto/totp.hpp"

#include <liboath/oath.h>

#include <cstdlib>
#include <memory>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "crypto/hash.hpp"

namespace dbackup::host {
namespace {

constexpr unsigned kDigits = 6;

void ready() {
  static const int state = oath_init();
  if (state != OATH_OK) throw Error(ErrorCode::Internal, "liboath cannot be used on this machine");
}

std::string code_of_step(const SecretString& secret, int64_t step) {
  char out[kDigits + 1] = {};
  const std::string_view key = secret.reveal();
  if (oath_hotp_generate(key.data(), key.size(), static_cast<uint64_t>(step), kDigits, false,
                         OATH_HOTP_DYNAMIC_TRUNCATION, out) != OATH_OK) {
    throw Error(ErrorCode::Internal, "a one-time password could not be computed");
  }
  return out;
}

}  // namespace

SecretString new_totp_secret() { return SecretString{random_bytes(20)}; }

std::string totp_uri(const SecretString& secret, std::string_view issuer,
                     std::string_view account) {
  ready();
  char* raw = nullptr;
  size_t length = 0;
  if (oath_base32_encode(secret.reveal().data(), secret.reveal().size(), &raw, &length) !=
      OATH_OK) {
    throw Error(ErrorCode::Internal, "the secret could not be encoded");
  }
  const std::unique_ptr<char, decltype(&std::free)> owned{raw, &std::free};
  std::string base32{raw, length};
  while (base32.ends_with('=')) base32.pop_back();
  return "otpauth://totp/" + percent_encode(issuer) + ":" + percent_encode(account) +
         "?secret=" + base32 + "&issuer=" + percent_encode(issuer) +
         "&algorithm=SHA1&digits=6&period=30";
}

std::string totp_code(const SecretString& secret, int64_t unix_seconds) {
  ready();
  return code_of_step(secret, unix_seconds / kTotpStepSeconds);
}

std::optional<int64_t> totp_step_of(const SecretString& secret, std::string_view code,
                                    int64_t unix_seconds) {
  ready();
  const int64_t now = unix_seconds / kTotpStepSeconds;
  std::optional<int64_t> found;
  for (int64_t step = now - 1; step <= now + 1; ++step) {
    if (step >= 0 && constant_time_equal(code_of_step(secret, step), code)) found = step;
  }
  return found;
}

}  // namespace dbackup::host
