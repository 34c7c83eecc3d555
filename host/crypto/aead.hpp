#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace dbackup::host {

inline constexpr size_t kAeadKeySize = 32;
inline constexpr size_t kAeadNonceSize = 12;
inline constexpr size_t kAeadTagSize = 16;

enum class Aead { ChaCha20Poly1305, Aes256Gcm };

/// One message, key and nonce given anew each time. `out` has kAeadTagSize bytes more than `plain`
/// and may start where `plain` does. Sizes that do not fit throw Error{InvalidArgument}. Each
/// thread keeps its own cipher contexts, without a key in them between calls: no lock, and no
/// allocation after a thread's first call. [any-thread]
void aead_seal(Aead cipher, std::string_view key, std::string_view nonce, std::string_view context,
               std::span<const std::byte> plain, std::span<std::byte> out);

/// False when the bytes are not authentic; `out` then holds zeroes. `out` has kAeadTagSize bytes
/// fewer than `sealed` and may start where `sealed` does. [any-thread]
[[nodiscard]] bool aead_open(Aead cipher, std::string_view key, std::string_view nonce,
                             std::string_view context, std::span<const std::byte> sealed,
                             std::span<std::byte> out);

}  // namespace dbackup::host
