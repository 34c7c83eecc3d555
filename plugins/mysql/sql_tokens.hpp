#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dialect.hpp"
#include "sql_scanner.hpp"

namespace dbackup::mysql {

struct Token {
  enum class Kind { End, Word, Name, Text, Mark };

  Kind kind = Kind::End;
  size_t begin = 0;  ///< in the statement
  size_t end = 0;
  std::string value = {};  ///< a word or mark as written, a name or text without its quotes

  bool is_mark(char c) const { return kind == Kind::Mark && value.front() == c; }
  /// Can stand where a name is expected.
  bool is_name() const { return kind == Kind::Word || kind == Kind::Name; }
  /// Compares without regard to case; `upper` is in upper case.
  bool is_word(std::string_view upper) const;
};

/// Reads a statement word by word, as a server of this version would: what stands in a conditional
/// comment counts exactly when that server would run it.
class TokenReader {
 public:
  TokenReader(std::string_view text, const ServerVersion& server, QuoteRules rules)
      : text_{text}, server_{server}, rules_{rules} {}
  Token next();

 private:
  bool skip_comment();
  Token quoted(char quote);

  std::string_view text_;
  const ServerVersion& server_;
  QuoteRules rules_;
  size_t at_ = 0;
  bool conditional_ = false;
};

/// Replaces pieces of a text; they must not overlap.
class Edits {
 public:
  void replace(size_t begin, size_t end, std::string with) {
    list_.push_back({begin, end, std::move(with)});
  }
  bool empty() const noexcept { return list_.empty(); }
  std::string apply(std::string_view text) const;

 private:
  struct Edit {
    size_t begin;
    size_t end;
    std::string with;
  };
  std::vector<Edit> list_;
};

}  // namespace dbackup::mysql
