#include "crypto/hash.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <array>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "crypto/openssl.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kSha256Size = 32;
constexpr size_t kHkdfMaxLength = 255 * kSha256Size;

/// OpenSSL's parameters are mutable pointers for reading and writing alike; for the calls here it
/// only reads.
OSSL_PARAM octets(const char* name, std::string_view bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(bytes.data()), bytes.size());
}

OSSL_PARAM sha256_name() {
  static char name[] = "SHA256";
  return OSSL_PARAM_construct_utf8_string(OSSL_ALG_PARAM_DIGEST, name, 0);
}

}  // namespace

void IncrementalHash::Free::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

IncrementalHash::IncrementalHash(Algorithm algorithm)
    : algorithm_{algorithm}, context_{EVP_MD_CTX_new()} {
  if (!context_) throw std::bad_alloc{};
  start();
}

IncrementalHash::IncrementalHash(IncrementalHash&&) noexcept = default;
IncrementalHash& IncrementalHash::operator=(IncrementalHash&&) noexcept = default;
IncrementalHash::~IncrementalHash() = default;

void IncrementalHash::start() {
  const EVP_MD* const digest = algorithm_ == Algorithm::Md5 ? openssl::md5() : openssl::sha256();
  openssl::check(EVP_DigestInit_ex2(context_.get(), digest, nullptr), "cannot start a hash");
}

void IncrementalHash::update(std::span<const std::byte> bytes) {
  openssl::check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()), "cannot hash");
}

void IncrementalHash::update(std::string_view bytes) { update(std::as_bytes(std::span{bytes})); }

std::string IncrementalHash::finish() {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  openssl::check(EVP_DigestFinal_ex(context_.get(), openssl::u8(digest.data()), &size),
                 "cannot finish a hash");
  digest.resize(size);
  start();
  return digest;
}

std::string IncrementalHash::finish_hex() { return to_hex(finish()); }

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

std::string sha256_hex(std::string_view bytes) { return to_hex(sha256(bytes)); }

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  const openssl::MacCtx context{EVP_MAC_CTX_new(openssl::hmac())};
  if (!context) throw std::bad_alloc{};
  const std::array params{sha256_name(), OSSL_PARAM_construct_end()};
  // A null key would mean "the key set before", of which there is none.
  const auto* const key_bytes = openssl::u8(key.empty() ? "" : key.data());
  openssl::check(EVP_MAC_init(context.get(), key_bytes, key.size(), params.data()),
                 "cannot start a MAC");
  openssl::check(EVP_MAC_update(context.get(), openssl::u8(bytes.data()), bytes.size()),
                 "cannot compute a MAC");
  std::string mac(kSha256Size, '\0');
  size_t size = 0;
  openssl::check(EVP_MAC_final(context.get(), openssl::u8(mac.data()), &size, mac.size()),
                 "cannot finish a MAC");
  return mac;
}

SecretString hkdf_sha256(std::string_view ikm, std::string_view salt, std::string_view info,
                         size_t length) {
  if (ikm.empty()) throw Error{ErrorCode::InvalidArgument, "key derivation needs a secret"};
  if (length == 0 || length > kHkdfMaxLength) {
    throw Error{ErrorCode::InvalidArgument, "key derivation gives 1 to 8160 bytes"};
  }
  const openssl::KdfCtx context{EVP_KDF_CTX_new(openssl::hkdf())};
  if (!context) throw std::bad_alloc{};
  // An empty salt is the same as none (RFC 5869, 2.2); OpenSSL takes only the latter.
  std::array<OSSL_PARAM, 5> params{};
  size_t count = 0;
  params[count++] = sha256_name();
  params[count++] = octets(OSSL_KDF_PARAM_KEY, ikm);
  if (!salt.empty()) params[count++] = octets(OSSL_KDF_PARAM_SALT, salt);
  if (!info.empty()) params[count++] = octets(OSSL_KDF_PARAM_INFO, info);
  params[count] = OSSL_PARAM_construct_end();
  std::string key(length, '\0');
  openssl::check(EVP_KDF_derive(context.get(), openssl::u8(key.data()), key.size(), params.data()),
                 "cannot derive a key");
  SecretString secret{key};
  wipe(key);
  return secret;
}

bool constant_time_equal(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace dbackup::host
