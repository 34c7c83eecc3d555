#pragma once

#include <string>
#include <string_view>

#include "worker/plugin/journal.hpp"

namespace dbackup::host {

/// What becomes of a program's error output: its last 16 KiB are kept, its first 50 lines logged.
/// [one thread]
class ErrorOutput {
 public:
  explicit ErrorOutput(Journal& journal) : journal_{journal} {}

  void take(std::string_view text) noexcept;
  /// Logs the line without an end, and how many lines were not logged.
  void finish() noexcept;
  const std::string& tail() const noexcept { return tail_; }

 private:
  void log_line(std::string_view line) noexcept;

  Journal& journal_;
  std::string tail_, line_;
  size_t logged_lines_ = 0;
};

}  // namespace dbackup::host
