#include "api/content_disposition.hpp"

#include <algorithm>

#include "base/encoding.hpp"

namespace dbackup::host {

std::string attachment_of(std::string_view file_name) {
  std::string ascii;
  bool is_same = true;
  for (const char c : file_name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool keep = byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\' && c != '/';
    // One character, however many bytes it has in UTF-8, becomes one "_".
    if (!keep && (byte & 0xC0) == 0x80) continue;
    ascii += keep ? c : '_';
    is_same = is_same && keep;
  }
  const bool has_name = std::ranges::any_of(ascii, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
  if (!has_name) {
    ascii = "download";
    is_same = false;
  }
  std::string header = "attachment; filename=\"" + ascii + "\"";
  if (!is_same) header += "; filename*=UTF-8''" + percent_encode(file_name);
  return header;
}

}  // namespace dbackup::host
