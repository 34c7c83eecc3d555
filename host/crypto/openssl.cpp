#include "crypto/openssl.hpp"

#include <openssl/err.h>

#include <array>

#include "base/error.hpp"

namespace dbackup::host::openssl {
namespace {

/// Fetched values are kept until the process ends: freeing them at exit would race with OpenSSL's
/// own exit handler.
template <class T>
T* fetched(T* object, const char* name) {
  if (object == nullptr) throw_failure(std::string{"OpenSSL has no "} + name);
  return object;
}

}  // namespace

const EVP_MD* sha256() {
  static const EVP_MD* const digest = fetched(EVP_MD_fetch(nullptr, "SHA256", nullptr), "SHA-256");
  return digest;
}

const EVP_MD* md5() {
  static const EVP_MD* const digest = fetched(EVP_MD_fetch(nullptr, "MD5", nullptr), "MD5");
  return digest;
}

const EVP_CIPHER* aes_256_gcm() {
  static const EVP_CIPHER* const cipher =
      fetched(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr), "AES-256-GCM");
  return cipher;
}

const EVP_CIPHER* chacha20_poly1305() {
  static const EVP_CIPHER* const cipher =
      fetched(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr), "ChaCha20-Poly1305");
  return cipher;
}

EVP_MAC* hmac() {
  static EVP_MAC* const mac = fetched(EVP_MAC_fetch(nullptr, "HMAC", nullptr), "HMAC");
  return mac;
}

EVP_KDF* hkdf() {
  static EVP_KDF* const kdf = fetched(EVP_KDF_fetch(nullptr, "HKDF", nullptr), "HKDF");
  return kdf;
}

void throw_failure(const std::string& what) {
  std::string detail;
  while (const unsigned long code = ERR_get_error()) {
    std::array<char, 256> text{};
    ERR_error_string_n(code, text.data(), text.size());
    if (!detail.empty()) detail += "; ";
    detail += text.data();
  }
  throw Error{ErrorCode::Internal, what, detail};
}

}  // namespace dbackup::host::openssl
