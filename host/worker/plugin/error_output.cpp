#include "worker/plugin/error_output.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kErrorTail = 16 * 1024;
constexpr size_t kMostLoggedLines = 50;
constexpr size_t kLongestLine = 4 * 1024;

}  // namespace

void ErrorOutput::take(std::string_view text) noexcept {
  try {
    tail_.append(text);
    if (tail_.size() > kErrorTail) tail_.erase(0, tail_.size() - kErrorTail);
    while (!text.empty()) {
      const size_t end = text.find_first_of("\r\n");
      const std::string_view part = text.substr(0, end);
      if (line_.size() < kLongestLine) line_.append(part.substr(0, kLongestLine - line_.size()));
      if (end == std::string_view::npos) break;
      if (!line_.empty()) log_line(line_);
      line_.clear();
      text.remove_prefix(end + 1);
    }
  } catch (...) {  // no memory: the line is lost, the program goes on
  }
}

void ErrorOutput::finish() noexcept {
  if (!line_.empty()) log_line(line_);
  line_.clear();
  if (logged_lines_ <= kMostLoggedLines) return;
  try {
    const std::string text = "… and " + std::to_string(logged_lines_ - kMostLoggedLines) +
                             " further lines of its error output";
    journal_.log({.type = JournalType::Command, .message = text});
  } catch (...) {  // no memory for the count: the lines themselves were counted
  }
  logged_lines_ = 0;
}

void ErrorOutput::log_line(std::string_view line) noexcept {
  if (++logged_lines_ > kMostLoggedLines) return;
  journal_.log({.type = JournalType::Command, .message = line});
}

}  // namespace dbackup::host
