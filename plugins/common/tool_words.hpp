#pragma once

#include <dbackup/error.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace dbackup {

/// Splits the option of an adapter that holds more flags for a tool: on blanks; '…' and "…" group,
/// as in a shell, without any expansion. Throws Error{InvalidArgument} naming `option` when a quote
/// is left open or the text holds NUL.
inline std::vector<std::string> split_tool_words(std::string_view text, const std::string& option) {
  std::vector<std::string> out;
  std::string word;
  bool inside = false;
  char quote = 0;
  for (const char c : text) {
    if (c == '\0') {
      throw Error{ErrorCode::InvalidArgument, "\"" + option + "\" must not contain NUL"};
    }
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      inside = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (inside) out.push_back(std::move(word));
      word.clear();
      inside = false;
    } else {
      word += c;
      inside = true;
    }
  }
  if (quote != 0) {
    throw Error{ErrorCode::InvalidArgument,
                "\"" + option + "\" has an open quote: " + std::string{quote}};
  }
  if (inside) out.push_back(std::move(word));
  return out;
}

}  // namespace dbackup
