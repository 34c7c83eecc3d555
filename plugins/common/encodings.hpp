#pragma once

#include <string>
#include <string_view>

namespace dbackup::plugins {

/// RFC 4648, with padding, on one line.
std::string base64(std::string_view bytes);
/// A value of a mail or HTTP header in RFC 2047's words of UTF-8, joined by `separator`; a
/// printable ASCII text stays as it is. Control characters become blanks: no text can begin another
/// header.
std::string encoded_words(std::string_view text, std::string_view separator = " ");

}  // namespace dbackup::plugins
