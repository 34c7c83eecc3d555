#include "crypto/token.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "crypto/hash.hpp"

namespace dbackup::host {

NewApiKey generate_api_key() {
  const SecretString digits = random_token(kApiKeyRandomBytes);
  std::string text{kApiKeyStart};
  text += digits.reveal();
  NewApiKey key{
      .raw = SecretString{text}, .hash = hash_token(text), .prefix = api_key_prefix(text)};
  wipe(text);
  return key;
}

bool is_api_key_shape(std::string_view text) noexcept {
  return text.size() == kApiKeyLength && text.starts_with(kApiKeyStart) &&
         std::ranges::all_of(text.substr(kApiKeyStart.size()), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string api_key_prefix(std::string_view raw_key) {
  if (!is_api_key_shape(raw_key)) throw Error{ErrorCode::InvalidArgument, "not an API key"};
  return std::string{raw_key.substr(0, kApiKeyPrefixLength)};
}

SecretString random_token(size_t random_byte_count) {
  std::string bytes = random_bytes(random_byte_count);
  SecretString token{to_hex(bytes)};
  wipe(bytes);
  return token;
}

std::string hash_token(std::string_view raw_token) { return sha256_hex(raw_token); }

}  // namespace dbackup::host
