#include "crypto/age_keys.hpp"

#include <openssl/err.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/id.hpp"
#include "crypto/bech32.hpp"
#include "crypto/openssl.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kKeySize = 32;
constexpr std::string_view kRecipientPrefix = "age";
constexpr std::string_view kIdentityPrefix = "AGE-SECRET-KEY-";

openssl::Pkey private_key(std::string_view bytes) {
  openssl::Pkey key{EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr,
                                                    openssl::u8(bytes.data()), bytes.size())};
  if (!key) openssl::throw_failure("cannot load an X25519 private key");
  return key;
}

std::string_view trim(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  return line;
}

}  // namespace

AgeRecipient AgeRecipient::from_bytes(std::string_view public_key) {
  if (public_key.size() != kKeySize) {
    throw Error{ErrorCode::InvalidArgument, "an age recipient has 32 bytes"};
  }
  AgeRecipient recipient;
  std::ranges::copy(public_key, recipient.key_.begin());
  return recipient;
}

AgeRecipient AgeRecipient::parse(std::string_view text) {
  const auto decoded = bech32_decode(text);
  if (!decoded || decoded->prefix != kRecipientPrefix || decoded->data.size() != kKeySize) {
    throw Error{
        ErrorCode::InvalidArgument,
        "not an age recipient: expected \"age1\" and 58 characters, as age-keygen -y prints"};
  }
  return from_bytes(decoded->data);
}

std::string AgeRecipient::to_string() const { return bech32_encode(kRecipientPrefix, bytes()); }

AgeIdentity::AgeIdentity(SecretString key, AgeRecipient recipient)
    : key_{std::move(key)}, recipient_{recipient} {}

AgeIdentity AgeIdentity::from_bytes(std::string_view secret_key) {
  if (secret_key.size() != kKeySize) {
    throw Error{ErrorCode::InvalidArgument, "an age identity has 32 bytes"};
  }
  const auto key = private_key(secret_key);
  std::string public_key(kKeySize, '\0');
  size_t size = public_key.size();
  openssl::check(EVP_PKEY_get_raw_public_key(key.get(), openssl::u8(public_key.data()), &size),
                 "cannot derive an X25519 public key");
  return AgeIdentity{SecretString{std::string{secret_key}}, AgeRecipient::from_bytes(public_key)};
}

AgeIdentity AgeIdentity::generate() {
  const SecretString key{random_bytes(kKeySize)};
  return from_bytes(key.reveal());
}

AgeIdentity AgeIdentity::parse(std::string_view text) {
  auto decoded = bech32_decode(text);
  if (!decoded || decoded->prefix != kIdentityPrefix || decoded->data.size() != kKeySize) {
    if (decoded) wipe(decoded->data);
    throw Error{ErrorCode::InvalidArgument,
                "not an age identity: expected \"AGE-SECRET-KEY-1\" and 58 characters in capitals"};
  }
  AgeIdentity identity = from_bytes(decoded->data);
  wipe(decoded->data);
  return identity;
}

SecretString AgeIdentity::to_string() const {
  // The checksum is that of the lower-case form; the format writes identities in capitals.
  std::string text = bech32_encode("age-secret-key-", bytes());
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  SecretString secret{text};
  wipe(text);
  return secret;
}

std::vector<AgeIdentity> parse_age_identities(std::string_view text) {
  std::vector<AgeIdentity> identities;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const auto line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    try {
      identities.push_back(AgeIdentity::parse(line));
    } catch (const Error& error) {
      throw Error{ErrorCode::InvalidArgument,
                  "line " + std::to_string(number) + ": " + error.what()};
    }
  }
  if (identities.empty()) throw Error{ErrorCode::InvalidArgument, "no age identity in the text"};
  return identities;
}

SecretString x25519(std::string_view secret_key, std::string_view public_key) {
  const auto own = private_key(secret_key);
  const openssl::Pkey peer{EVP_PKEY_new_raw_public_key_ex(
      nullptr, "X25519", nullptr, openssl::u8(public_key.data()), public_key.size())};
  if (!peer) openssl::throw_failure("cannot load an X25519 public key");
  const openssl::PkeyCtx context{EVP_PKEY_CTX_new_from_pkey(nullptr, own.get(), nullptr)};
  if (!context) throw std::bad_alloc{};
  openssl::check(EVP_PKEY_derive_init(context.get()), "cannot start a key agreement");
  openssl::check(EVP_PKEY_derive_set_peer(context.get(), peer.get()),
                 "cannot start a key agreement");
  std::string shared(kKeySize, '\0');
  size_t size = shared.size();
  // OpenSSL refuses a result of all zeroes, which only a point of low order gives.
  if (EVP_PKEY_derive(context.get(), openssl::u8(shared.data()), &size) != 1) {
    ERR_clear_error();
    throw Error{ErrorCode::DataLoss, "an X25519 share of low order"};
  }
  SecretString secret{shared};
  wipe(shared);
  return secret;
}

}  // namespace dbackup::host
