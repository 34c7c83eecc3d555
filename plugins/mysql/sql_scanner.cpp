#include "sql_scanner.hpp"

#include <algorithm>
#include <array>
#include <dbackup/error.hpp>

#include "dialect.hpp"

namespace dbackup::mysql {
namespace {

constexpr size_t kBlock = 256 * 1024;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

/// Everything else inside a statement is passed over without a look.
constexpr std::array<bool, 256> kSpecial = [] {
  std::array<bool, 256> out{};
  for (const char c : {'\'', '"', '`', '-', '#', '/', '*'})
    out[static_cast<unsigned char>(c)] = true;
  return out;
}();

}  // namespace

bool SqlScanner::refill() {
  if (ended_) return false;
  if (buffer_.size() - begin_ > most_bytes_) {
    throw Error{ErrorCode::InvalidArgument,
                "the statement at line " + std::to_string(line_) + " is longer than the " +
                    std::to_string(most_bytes_) +
                    " bytes the server takes (max_allowed_packet), or the backup is no SQL dump"};
  }
  if (begin_ > 0) {  // what is behind us goes
    buffer_.erase(0, begin_);
    at_ -= begin_;
    begin_ = 0;
  }
  const size_t filled = buffer_.size();
  buffer_.resize(filled + kBlock);
  const size_t n = source_(std::span{buffer_}.subspan(filled));
  buffer_.resize(filled + n);
  if (n == 0) ended_ = true;
  return n > 0;
}

/// Are there `count` bytes from at_ on?
bool SqlScanner::need(size_t count) {
  while (buffer_.size() - at_ < count) {
    if (!refill()) return false;
  }
  return true;
}

void SqlScanner::drop_read() noexcept {
  line_ +=
      static_cast<uint64_t>(std::count(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
                                       buffer_.begin() + static_cast<std::ptrdiff_t>(at_), '\n'));
  begin_ = at_;
}

void SqlScanner::open_end(const char* what) const {
  throw Error{ErrorCode::DataLoss, "the backup ends in the middle of " + std::string{what} +
                                       " that began at line " + std::to_string(line_)};
}

void SqlScanner::skip_space() {
  while (need(1) && is_space(buffer_[at_])) ++at_;
}

/// "-- " needs the blank; "--" at the end of a line is one too.
bool SqlScanner::is_line_comment() {
  if (buffer_[at_] == '#') return true;
  if (buffer_[at_] != '-' || !need(2) || buffer_[at_ + 1] != '-') return false;
  return !need(3) || static_cast<unsigned char>(buffer_[at_ + 2]) <= ' ';
}

void SqlScanner::skip_line_comment() {
  size_t length = 0;
  while (need(length + 1) && buffer_[at_ + length] != '\n') {
    const size_t end = buffer_.find('\n', at_ + length);
    length = (end == std::string::npos ? buffer_.size() : end) - at_;
  }
  const std::string_view line = std::string_view{buffer_}.substr(at_, length);
  if (line.starts_with("-- MariaDB dump ") || line.starts_with("-- MySQL dump ")) has_head_ = true;
  if (line.starts_with("-- Dump completed")) has_tail_ = true;
  constexpr std::string_view kDatabase = "    Database: ";
  const size_t at = line.find(kDatabase);
  if (has_head_ && line.starts_with("-- Host: ") && at != std::string_view::npos) {
    head_database_ = line.substr(at + kDatabase.size());
  }
  at_ += length;
}

/// From "/*" to behind its "*/".
void SqlScanner::skip_block_comment() {
  at_ += 2;
  while (true) {
    if (!need(2)) open_end("a comment");
    const size_t end = buffer_.find("*/", at_);
    if (end != std::string::npos) {
      at_ = end + 2;
      return;
    }
    at_ = buffer_.size() - 1;  // the last byte may be the '*'
  }
}

void SqlScanner::scan_quoted(char quote) {
  const bool escapes =
      quote != '`' && !rules_.plain_backslash && !(quote == '"' && rules_.ansi_quotes);
  const char stops[2] = {quote, '\\'};
  ++at_;
  while (true) {
    const size_t stop = buffer_.find_first_of(stops, at_, escapes ? 2 : 1);
    if (stop == std::string::npos) {
      at_ = buffer_.size();
      if (!refill()) open_end("a quoted text");
      continue;
    }
    at_ = stop;
    if (buffer_[at_] == quote) {  // a doubled one simply opens the next piece
      ++at_;
      return;
    }
    if (!need(2)) open_end("a quoted text");
    at_ += 2;
  }
}

/// "DELIMITER ;;" is a line of its own between statements; false when there is none.
bool SqlScanner::take_delimiter() {
  constexpr std::string_view kWord = "delimiter";
  if (!need(kWord.size() + 1)) return false;
  if (lower_case(std::string_view{buffer_}.substr(at_, kWord.size())) != kWord) return false;
  if (buffer_[at_ + kWord.size()] != ' ' && buffer_[at_ + kWord.size()] != '\t') return false;
  size_t length = kWord.size();
  while (need(length + 1) && buffer_[at_ + length] != '\n') ++length;
  std::string_view rest =
      std::string_view{buffer_}.substr(at_ + kWord.size(), length - kWord.size());
  while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
  rest = rest.substr(0, std::min(rest.find_first_of(" \t\r"), rest.size()));
  if (rest.empty() || rest.size() > 16 || rest.find('\\') != std::string_view::npos) {
    throw Error{ErrorCode::InvalidArgument,
                "line " + std::to_string(line_) + " of the backup sets no usable delimiter"};
  }
  delimiter_ = rest;
  at_ += length;
  return true;
}

/// Passes over what stands between statements. False at the end of everything.
bool SqlScanner::skip_between() {
  while (true) {
    skip_space();
    drop_read();
    if (!need(1)) return false;
    if (is_line_comment()) {
      skip_line_comment();
    } else if (buffer_[at_] == '/' && need(2) && buffer_[at_ + 1] == '*' &&
               !(need(3) && (buffer_[at_ + 2] == '!' || buffer_[at_ + 2] == 'M'))) {
      skip_block_comment();
    } else if (need(delimiter_.size()) &&
               buffer_.compare(at_, delimiter_.size(), delimiter_) == 0) {
      at_ += delimiter_.size();
    } else if (!take_delimiter()) {
      return true;
    }
  }
}

bool SqlScanner::next(ScannedStatement& out) {
  drop_read();  // the statement before
  if (!skip_between()) return false;
  bool conditional = false;  // inside /*! … */, whose content is code
  const char first = delimiter_.front();
  while (need(1)) {
    const char c = buffer_[at_];
    if (!kSpecial[static_cast<unsigned char>(c)] && c != first) {
      ++at_;
      continue;
    }
    if (c == '\'' || c == '"' || c == '`') {
      scan_quoted(c);
    } else if (is_line_comment()) {
      skip_line_comment();
    } else if (c == '/' && need(2) && buffer_[at_ + 1] == '*') {
      const bool is_code =
          need(3) && (buffer_[at_ + 2] == '!' ||
                      (buffer_[at_ + 2] == 'M' && need(4) && buffer_[at_ + 3] == '!'));
      if (is_code && !conditional) {
        conditional = true;
        at_ += 3;
      } else {
        skip_block_comment();
      }
    } else if (conditional && c == '*' && need(2) && buffer_[at_ + 1] == '/') {
      conditional = false;
      at_ += 2;
    } else if (!conditional && c == first && need(delimiter_.size()) &&
               buffer_.compare(at_, delimiter_.size(), delimiter_) == 0) {
      out = {std::string_view{buffer_}.substr(begin_, at_ - begin_), line_};
      // The text stays where it is until the next call, which drops it first.
      at_ += delimiter_.size();
      return true;
    } else {
      ++at_;
    }
  }
  // The last statement may lack its delimiter, but not a part of itself.
  if (conditional) open_end("a statement");
  out = {std::string_view{buffer_}.substr(begin_, at_ - begin_), line_};
  return true;
}

}  // namespace dbackup::mysql
