#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dbackup::host {

struct Bech32 {
  std::string prefix;  ///< the human-readable part, in the case in which it was written
  std::string data;    ///< raw bytes
};

/// Bech32 (BIP 173) without its length limit, as age uses it: lower-case text of `data` under
/// `prefix`. `prefix` must be lower-case ASCII letters, digits or '-'.
std::string bech32_encode(std::string_view prefix, std::string_view data);

/// nullopt for mixed case, a wrong checksum, a foreign character or padding that is not canonical.
std::optional<Bech32> bech32_decode(std::string_view text);

}  // namespace dbackup::host
