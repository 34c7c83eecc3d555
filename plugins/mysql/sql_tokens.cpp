#include "sql_tokens.hpp"

#include <algorithm>

namespace dbackup::mysql {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f' || c == '\0';
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word_part(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

}  // namespace

bool Token::is_word(std::string_view upper) const {
  return kind == Kind::Word && lower_case(value) == lower_case(upper);
}

/// True when a comment, or an end of one, stood at at_ and was passed over.
bool TokenReader::skip_comment() {
  const std::string_view rest = text_.substr(at_);
  if (rest.starts_with("#") || (rest.starts_with("--") &&
                                (rest.size() == 2 || static_cast<unsigned char>(rest[2]) <= ' '))) {
    at_ = std::min(text_.find('\n', at_), text_.size());
    return true;
  }
  if (conditional_ && rest.starts_with("*/")) {
    conditional_ = false;
    at_ += 2;
    return true;
  }
  if (!rest.starts_with("/*")) return false;
  const bool mariadb_only = rest.starts_with("/*M!");
  if (!conditional_ && (mariadb_only || rest.starts_with("/*!"))) {
    size_t digits = mariadb_only ? 4 : 3;
    const size_t from = digits;
    int number = 0;
    while (digits < rest.size() && digits < from + 6 && is_digit(rest[digits])) {
      number = number * 10 + (rest[digits++] - '0');
    }
    if (digits - from < 5) {  // fewer are no version but code
      digits = from;
      number = 0;
    }
    if (runs_conditional(server_, mariadb_only, number)) {
      conditional_ = true;
      at_ += digits;
      return true;
    }
  }
  // A conditional comment that is not run may hold ordinary ones.
  size_t open = 1;
  size_t at = at_ + 2;
  while (at < text_.size() && open > 0) {
    if (text_.substr(at).starts_with("*/")) {
      --open;
      at += 2;
    } else if (open == 1 && (mariadb_only || rest.starts_with("/*!")) &&
               text_.substr(at).starts_with("/*")) {
      ++open;
      at += 2;
    } else {
      ++at;
    }
  }
  at_ = at;
  return true;
}

Token TokenReader::quoted(char quote) {
  const bool is_name = quote == '`' || (quote == '"' && rules_.ansi_quotes);
  Token out{.kind = is_name ? Token::Kind::Name : Token::Kind::Text, .begin = at_};
  ++at_;
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == quote) {
      if (at_ == text_.size() || text_[at_] != quote) break;
      ++at_;
    } else if (c == '\\' && !is_name && !rules_.plain_backslash && at_ < text_.size()) {
      out.value += text_[at_++];
      continue;
    }
    out.value += c;
  }
  out.end = at_;
  return out;
}

Token TokenReader::next() {
  while (at_ < text_.size() && (is_space(text_[at_]) || skip_comment())) {
    if (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  if (at_ >= text_.size()) return {.begin = text_.size(), .end = text_.size()};
  const char c = text_[at_];
  if (c == '`' || c == '\'' || c == '"') return quoted(c);
  Token out{.kind = is_word_part(c) ? Token::Kind::Word : Token::Kind::Mark, .begin = at_};
  ++at_;
  if (out.kind == Token::Kind::Word) {
    while (at_ < text_.size() && is_word_part(text_[at_])) ++at_;
  }
  out.end = at_;
  out.value = text_.substr(out.begin, out.end - out.begin);
  return out;
}

std::string Edits::apply(std::string_view text) const {
  std::vector<Edit> sorted = list_;
  std::sort(sorted.begin(), sorted.end(),
            [](const Edit& a, const Edit& b) { return a.begin < b.begin; });
  std::string out;
  size_t at = 0;
  for (const Edit& edit : sorted) {
    out += text.substr(at, edit.begin - at);
    out += edit.with;
    at = edit.end;
  }
  return out += text.substr(at);
}

}  // namespace dbackup::mysql
