#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret_string.hpp"

namespace dbackup::host {

/// Time-based one-time passwords (RFC 6238) by liboath: SHA-1, six digits, 30 s, the form every
/// authenticator application knows. [any-thread]
inline constexpr int64_t kTotpStepSeconds = 30;

/// 20 random bytes.
SecretString new_totp_secret();
/// "otpauth://totp/<issuer>:<account>?secret=…&issuer=…".
std::string totp_uri(const SecretString& secret, std::string_view issuer, std::string_view account);
/// The code of one moment; for tests and tools.
std::string totp_code(const SecretString& secret, int64_t unix_seconds);
/// The step that `code` belongs to, when it is that of now or of one step to either side.
std::optional<int64_t> totp_step_of(const SecretString& secret, std::string_view code,
                                    int64_t unix_seconds);

}  // namespace dbackup::host
