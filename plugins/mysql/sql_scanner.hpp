#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace dbackup::mysql {

/// How the session reads quotes, by its sql_mode.
struct QuoteRules {
  bool plain_backslash = false;  ///< NO_BACKSLASH_ESCAPES
  bool ansi_quotes = false;      ///< ANSI_QUOTES: "…" is a name
};

/// One statement of a dump, without its delimiter. `text` is valid until the next one is asked for.
struct ScannedStatement {
  std::string_view text;
  uint64_t line = 0;  ///< where it begins, from 1
};

/// Cuts a stream of SQL, as mysqldump and mariadb-dump write it, into statements: it knows strings,
/// quoted names, comments of all kinds and DELIMITER, and holds one statement at a time. It is a
/// reader of text only; nothing of what the mysql program would run by itself (system, source, \!)
/// exists here.
class SqlScanner {
 public:
  /// Fills the buffer and returns the number of bytes; 0 at the end.
  using Source = std::function<size_t(std::span<char>)>;

  /// `most_bytes`: a longer statement is an error.
  SqlScanner(Source source, size_t most_bytes)
      : source_{std::move(source)}, most_bytes_{most_bytes} {}

  /// False at the end. Throws Error{InvalidArgument} naming the line for what cannot be a dump, and
  /// what the source throws.
  bool next(ScannedStatement& out);

  /// From the next statement on.
  void set_rules(QuoteRules rules) noexcept { rules_ = rules; }

  /// Was the comment seen with which the tools begin a dump? They end such a one with another.
  bool has_head() const noexcept { return has_head_; }
  bool has_tail() const noexcept { return has_tail_; }
  /// The database that such a beginning names; "" = none.
  const std::string& head_database() const noexcept { return head_database_; }
  uint64_t line() const noexcept { return line_; }

 private:
  bool refill();
  bool need(size_t count);
  void skip_space();
  bool skip_between();
  bool take_delimiter();
  void scan_quoted(char quote);
  void skip_line_comment();
  void skip_block_comment();
  bool is_line_comment();
  void drop_read() noexcept;
  [[noreturn]] void open_end(const char* what) const;

  Source source_;
  size_t most_bytes_;
  QuoteRules rules_;
  std::string buffer_;
  size_t begin_ = 0;  ///< of the statement
  size_t at_ = 0;     ///< read so far
  bool ended_ = false;
  std::string delimiter_ = ";";
  uint64_t line_ = 1;  ///< of begin_
  bool has_head_ = false;
  bool has_tail_ = false;
  std::string head_database_;
};

}  // namespace dbackup::mysql
