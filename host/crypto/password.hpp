#pragma once

#include <string>

#include "base/secret_string.hpp"

namespace dbackup::host {

inline constexpr size_t kShortestPassword = 8;
inline constexpr size_t kLongestPassword = 128;

/// argon2id (RFC 9106) by libsodium, self-describing text "$argon2id$v=19$m=19456,t=2,p=1$…": 19
/// MiB and two passes, the least that OWASP's password storage guide asks for. Takes some tens of
/// milliseconds of one core; as many run at once as half the cores, the rest waits, so that neither
/// memory nor other requests suffer from many sign-ins. [any-thread]
std::string hash_password(const SecretString& password);

/// False also for a text that is no hash of ours. Takes as long for "" as for a wrong password, so
/// that an unknown account cannot be told from a known one.
bool verify_password(const SecretString& password, const std::string& hash);

}  // namespace dbackup::host
