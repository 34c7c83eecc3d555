#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "crypto/age_stream.hpp"

namespace dbackup::host::test {

using Bytes = std::vector<std::byte>;

inline Bytes to_bytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text});
  return {bytes.begin(), bytes.end()};
}

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The same bytes for the same size and seed.
inline Bytes sample(size_t size, uint64_t seed = 1) {
  std::mt19937_64 engine{seed};
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::byte>(engine() & 255);
  return bytes;
}

/// The stored form of `plain`, handed to the sealer in pieces of `step` bytes.
inline Bytes seal(std::span<const std::byte> plain, const std::vector<AgeRecipient>& recipients,
                  size_t step = SIZE_MAX) {
  AgeSealer sealer{recipients};
  Bytes stored = to_bytes(sealer.header());
  for (size_t at = 0; at < plain.size();) {
    const size_t count = std::min(step, plain.size() - at);
    sealer.update(plain.subspan(at, count), stored);
    at += count;
  }
  sealer.finish(stored);
  return stored;
}

struct Opened {
  Bytes plain;                 ///< all that was let out, also before a failure
  std::optional<Error> error;  ///< nullopt: opened to the end
  std::optional<uint64_t> header_size;

  bool ok() const { return !error; }
  std::string reason() const { return error ? error->reason() : "ok"; }
};

inline Opened open(std::span<const std::byte> stored, std::vector<AgeIdentity> identities,
                   size_t step = SIZE_MAX) {
  Opened result;
  AgeOpener opener{std::move(identities)};
  try {
    for (size_t at = 0; at < stored.size();) {
      const size_t count = std::min(step, stored.size() - at);
      opener.update(stored.subspan(at, count), result.plain);
      at += count;
    }
    opener.finish(result.plain);
  } catch (const Error& error) {
    result.error = error;
  }
  result.header_size = opener.header_size();
  return result;
}

/// True when `part` is how `whole` begins.
inline bool is_prefix(std::span<const std::byte> part, std::span<const std::byte> whole) {
  return part.size() <= whole.size() && as_text(part) == as_text(whole.first(part.size()));
}

}  // namespace dbackup::host::test
