#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

/// OpenSSL's objects as owned values, and the algorithms the host uses, each fetched from its
/// provider once (a lookup by name per operation costs more than hashing a hundred bytes).
/// [any-thread]
namespace dbackup::host::openssl {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

using DigestCtx = std::unique_ptr<EVP_MD_CTX, Deleter<&EVP_MD_CTX_free>>;
using CipherCtx = std::unique_ptr<EVP_CIPHER_CTX, Deleter<&EVP_CIPHER_CTX_free>>;
using MacCtx = std::unique_ptr<EVP_MAC_CTX, Deleter<&EVP_MAC_CTX_free>>;
using KdfCtx = std::unique_ptr<EVP_KDF_CTX, Deleter<&EVP_KDF_CTX_free>>;
using Pkey = std::unique_ptr<EVP_PKEY, Deleter<&EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Deleter<&BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Deleter<&X509_free>>;
using PkeyCtx = std::unique_ptr<EVP_PKEY_CTX, Deleter<&EVP_PKEY_CTX_free>>;

/// Live as long as the process; never freed by the caller. Throw Error{Internal} when the provider
/// is missing.
const EVP_MD* sha256();
const EVP_MD* md5();
const EVP_CIPHER* aes_256_gcm();
const EVP_CIPHER* chacha20_poly1305();
EVP_MAC* hmac();
EVP_KDF* hkdf();

/// Throws Error{Internal, what}, the library's own reason in detail(); empties its error queue.
[[noreturn]] void throw_failure(const std::string& what);

/// throw_failure unless `result` is 1, the library's word for success.
inline void check(int result, const char* what) {
  if (result != 1) throw_failure(what);
}

inline const unsigned char* u8(const void* data) noexcept {
  return static_cast<const unsigned char*>(data);
}
inline unsigned char* u8(void* data) noexcept { return static_cast<unsigned char*>(data); }

}  // namespace dbackup::host::openssl
