#pragma once

#include <string>
#include <string_view>

namespace dbackup::plugins {

/// RFC 3986: everything but letters, digits, "-._~" and the characters of `also_plain` as %XX, so
/// that nothing in a name is taken for a part of the URL.
inline std::string percent_encoded(std::string_view text, std::string_view also_plain = "") {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kMarks = "-._~";
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || kMarks.find(c) != kMarks.npos ||
                          also_plain.find(c) != also_plain.npos;
    if (is_plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4U];
    out += kHex[byte & 15U];
  }
  return out;
}

/// The same for a path: its slashes stay.
inline std::string percent_encoded_path(std::string_view path) {
  return percent_encoded(path, "/");
}

}  // namespace dbackup::plugins
