#include "encodings.hpp"

#include <algorithm>

#include "message_text.hpp"

namespace dbackup::plugins {

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t here = std::min<size_t>(3, bytes.size() - at);
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < here ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (size_t i = 0; i < 4; ++i) out += i <= here ? kDigits[group >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

std::string encoded_words(std::string_view text, std::string_view separator) {
  const std::string clean = on_one_line(text);
  const bool is_ascii =
      std::ranges::all_of(clean, [](unsigned char c) { return c >= 0x20 && c < 0x7F; });
  if (is_ascii && clean.find("=?") == clean.npos) return clean;
  // A word has at most 75 characters and holds whole ones of the text; one behind the name of its
  // header keeps that line below 76, too.
  constexpr size_t kMostBytes = 39;
  std::string out;
  for (size_t at = 0; at < clean.size();) {
    size_t end = std::min(clean.size(), at + kMostBytes);
    while (end < clean.size() && end > at + 1 &&
           (static_cast<unsigned char>(clean[end]) & 0xC0) == 0x80) {
      --end;
    }
    if (!out.empty()) out += separator;
    out += "=?UTF-8?B?" + base64(std::string_view{clean}.substr(at, end - at)) + "?=";
    at = end;
  }
  return out;
}

}  // namespace dbackup::plugins
