#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dbackup::host {

/// Lower-case hexadecimal.
std::string to_hex(std::string_view bytes);
/// nullopt when `text` has an odd length or a character that is no hexadecimal digit.
std::optional<std::string> from_hex(std::string_view text);

/// Standard alphabet (RFC 4648 section 4), without padding, as age uses it.
std::string to_base64_unpadded(std::string_view bytes);
/// Canonical unpadded base64 only: padding, line ends and non-zero trailing bits give nullopt.
std::optional<std::string> from_base64_unpadded(std::string_view text);

/// Percent-encodes everything but RFC 3986 unreserved characters (and those in `keep`).
std::string percent_encode(std::string_view text, std::string_view keep = "");
/// nullopt on a malformed escape. `plus_is_space` for query strings.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

/// True when `text` is well-formed UTF-8 without NUL.
bool is_text(std::string_view text) noexcept;

}  // namespace dbackup::host
