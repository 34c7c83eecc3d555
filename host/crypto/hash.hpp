#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/secret_string.hpp"

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX, so that users of a hash need no OpenSSL header

namespace dbackup::host {

/// A hash fed piece by piece. One thread at a time; move-only. After finish() it starts anew.
class IncrementalHash {
 public:
  IncrementalHash(IncrementalHash&&) noexcept;
  IncrementalHash& operator=(IncrementalHash&&) noexcept;
  ~IncrementalHash();

  void update(std::span<const std::byte> bytes);
  void update(std::string_view bytes);
  /// The raw digest.
  std::string finish();
  /// The digest as lower-case hexadecimal.
  std::string finish_hex();

 protected:
  enum class Algorithm { Sha256, Md5 };
  explicit IncrementalHash(Algorithm algorithm);

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  void start();

  Algorithm algorithm_;
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// SHA-256: 32 bytes.
class Sha256 final : public IncrementalHash {
 public:
  Sha256() : IncrementalHash{Algorithm::Sha256} {}
};

/// MD5: 16 bytes. Only for destinations whose protocol compares it; never for trust.
class Md5 final : public IncrementalHash {
 public:
  Md5() : IncrementalHash{Algorithm::Md5} {}
};

/// Raw digest (32 bytes) and its lower-case hexadecimal form. [any-thread]
std::string sha256(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);

/// HMAC-SHA-256 (RFC 2104), 32 raw bytes; any key length. [any-thread]
std::string hmac_sha256(std::string_view key, std::string_view bytes);

/// HKDF-SHA-256 (RFC 5869): `length` raw bytes, at most 255 × 32. `salt` and `info` may be empty,
/// `ikm` may not. Throws Error{InvalidArgument} outside these limits. [any-thread]
SecretString hkdf_sha256(std::string_view ikm, std::string_view salt, std::string_view info,
                         size_t length);

/// Compares without telling by its duration where the two differ; their lengths are not secret.
bool constant_time_equal(std::string_view a, std::string_view b) noexcept;

}  // namespace dbackup::host
