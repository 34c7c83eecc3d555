#include "base/json_writer.hpp"

#include <algorithm>
#include <charconv>

#include "base/json.hpp"

namespace dbackup::host {

void JsonWriter::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  out_.append("\"").append(name).append("\":");
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  const bool is_plain = std::ranges::all_of(value, [](char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
  });
  // Anything else goes the library's way: one set of rules for escapes and bad UTF-8.
  if (!is_plain) return raw(dump_json(std::string{value}));
  separate();
  out_.append("\"").append(value).append("\"");
  return *this;
}

JsonWriter& JsonWriter::number(int64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return raw({digits, static_cast<size_t>(end - digits)});
}

}  // namespace dbackup::host
