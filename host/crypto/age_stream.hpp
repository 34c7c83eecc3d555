#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret_string.hpp"
#include "crypto/age_header.hpp"
#include "crypto/age_keys.hpp"

// An age v1 file as it lies at a destination:
//
//   header text                     stanzas and MAC (age_header.hpp)          \ together
//   `header_size` 16 bytes                        nonce from which the payload key is made  /
//   everywhere in this file chunk 0, chunk 1, …             65536 bytes sealed to 65552 each last
//   chunk                      0 to 65536 bytes sealed to 16 … 65552; empty only when it is the
//   only one
//
// Each chunk is sealed by ChaCha20-Poly1305; its nonce is the chunk's index (11 bytes, big endian)
// and a byte that is 1 for the last chunk only, so cutting, swapping and appending are noticed.

namespace dbackup::host {

inline constexpr size_t kAgeTagSize = 16;
inline constexpr size_t kAgeNonceSize = 16;
inline constexpr size_t kAgeChunkSize = size_t{64} << 10;                   ///< plain
inline constexpr size_t kAgeStoredChunkSize = kAgeChunkSize + kAgeTagSize;  ///< sealed

/// Seals and opens single chunks in any order. Copyable; wiped when it goes. All calls are
/// [any-thread] at once on the same object, allocate nothing after a thread's first call, and need
/// no lock.
class AgePayloadKey {
 public:
  /// `file_key`: 16 raw bytes; `nonce`: the 16 bytes after the header.
  AgePayloadKey(const SecretString& file_key, std::string_view nonce);

  /// `plain` has kAgeChunkSize bytes, or fewer if `last`; `out` has kAgeTagSize more and may start
  /// where `plain` does.
  void seal_chunk(uint64_t index, bool last, std::span<const std::byte> plain,
                  std::span<std::byte> out) const;

  /// False when the bytes are not this chunk of this file; `out` then holds zeroes, never what was
  /// not authenticated. `out` has kAgeTagSize bytes fewer than `stored` and may start where
  /// `stored` does.
  [[nodiscard]] bool open_chunk(uint64_t index, bool last, std::span<const std::byte> stored,
                                std::span<std::byte> out) const;

 private:
  SecretString key_;
};

/// Seals a stream for recipients, in order. One thread at a time. A pipeline that seals on several
/// threads writes header() and then uses payload_key() for every chunk itself.
class AgeSealer {
 public:
  /// Draws a new file key. Throws Error{InvalidArgument} without recipients.
  explicit AgeSealer(std::span<const AgeRecipient> recipients);

  /// What the file begins with, nonce included: to be written before anything from update().
  const std::string& header() const noexcept { return header_; }
  const AgePayloadKey& payload_key() const noexcept { return key_; }

  /// Appends the chunks that are full to `out`; keeps at most one chunk back.
  void update(std::span<const std::byte> plain, std::vector<std::byte>& out);
  /// Appends the last chunk. Must be called once, also for an empty stream; without it the file is
  /// truncated.
  void finish(std::vector<std::byte>& out);

 private:
  AgeSealer(const SecretString& file_key, const std::string& nonce,
            std::span<const AgeRecipient> recipients);
  void seal(std::span<const std::byte> plain, bool last, std::vector<std::byte>& out);

  std::string header_;
  AgePayloadKey key_;
  std::vector<std::byte> pending_;
  uint64_t index_ = 0;
  bool finished_ = false;
};

/// Opens a stored stream, in order. Nothing is appended to `plain` before it is authenticated; the
/// stream as a whole is complete only when finish() has returned. After an Error every further call
/// throws it again. One thread at a time.
class AgeOpener {
 public:
  explicit AgeOpener(std::vector<AgeIdentity> identities);

  /// Takes stored bytes in any split. Throws Error{FailedPrecondition, "encryption_key_required"}
  /// when no identity fits, Error{DataLoss} when header or payload are damaged.
  void update(std::span<const std::byte> stored, std::vector<std::byte>& plain);
  /// Ends the input and appends the last chunk. Throws Error{DataLoss} when it is missing, cut or
  /// damaged.
  void finish(std::vector<std::byte>& plain);

  /// Size of header and nonce, once they have been read and the MAC has been checked.
  std::optional<uint64_t> header_size() const noexcept;
  /// The key for chunks read by other means; null before header_size() is known. Valid as long as
  /// this object.
  const AgePayloadKey* payload_key() const noexcept { return key_ ? &*key_ : nullptr; }

 private:
  [[noreturn]] void fail(const std::string& what, std::string_view reason);
  std::span<const std::byte> take_header(std::span<const std::byte> stored);
  bool open(std::span<const std::byte> stored, bool last, std::vector<std::byte>& plain);
  void open_full(std::span<const std::byte> stored, std::vector<std::byte>& plain);

  std::vector<AgeIdentity> identities_;
  AgeHeaderReader header_;
  std::optional<SecretString> file_key_;
  std::string nonce_;
  std::optional<AgePayloadKey> key_;
  std::vector<std::byte> pending_;
  uint64_t index_ = 0;
  bool ended_ = false;  // the last chunk has been opened
  std::optional<Error> failure_;
  bool finished_ = false;
};

}  // namespace dbackup::host
