#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/secret_string.hpp"

namespace dbackup::host {

inline constexpr std::string_view kApiKeyStart = "dbackup_";
inline constexpr size_t kApiKeyRandomBytes = 30;
inline constexpr size_t kApiKeyLength = 68;        ///< "dbackup_" and 60 hexadecimal digits
inline constexpr size_t kApiKeyPrefixLength = 16;  ///< the part that may be stored and shown

struct NewApiKey {
  SecretString raw;    ///< shown to its owner once, never stored
  std::string hash;    ///< what is stored: hash_token(raw)
  std::string prefix;  ///< first 16 characters of raw
};

/// A new key of 240 random bits.
NewApiKey generate_api_key();

/// True for "dbackup_" and 60 lower-case hexadecimal digits. Says nothing about the key being
/// known.
bool is_api_key_shape(std::string_view text) noexcept;

/// The first 16 characters. Throws Error{InvalidArgument} for a text that is no API key.
std::string api_key_prefix(std::string_view raw_key);

/// A token of `random_byte_count` random bytes as lower-case hexadecimal (twice as long).
SecretString random_token(size_t random_byte_count = 32);

/// The stored form of a random token: SHA-256 as 64 lower-case hexadecimal digits. Fit for tokens
/// of at least 128 random bits only; a password needs a slow hash.
std::string hash_token(std::string_view raw_token);

}  // namespace dbackup::host
