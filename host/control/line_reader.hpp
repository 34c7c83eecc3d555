#pragma once

#include <string>
#include <string_view>

namespace dbackup::host {

/// Cuts what comes through a non-blocking descriptor into lines of a bounded length.
class LineReader {
 public:
  enum class Overlong { Refuse, Cut };
  explicit LineReader(size_t longest, Overlong overlong = Overlong::Refuse)
      : longest_{longest}, overlong_{overlong} {}

  enum class State { Open, Closed };
  /// Reads what is there, at most 64 KiB, and calls `take(line)` for each whole line, without its end.
  /// Throws Error{InvalidArgument, "line"} when a line is longer than allowed, Error when reading fails.
  template <class Take>
  State read(int fd, Take take) {
    const State state = fill(fd);
    size_t start = 0;
    for (size_t end = buffer_.find('\n', scanned_); end != std::string::npos;
         end = buffer_.find('\n', start)) {
      take(std::string_view{buffer_}.substr(start, end - start));
      start = end + 1;
    }
    buffer_.erase(0, start);
    if (overlong_ == Overlong::Cut && buffer_.size() > longest_) {
      take(std::string_view{buffer_});
      buffer_.clear();
    }
    scanned_ = buffer_.size();
    check_length();
    return state;
  }
  /// Bytes read so far.
  size_t total() const noexcept { return total_; }

 private:
  State fill(int fd);
  void check_length() const;
  size_t longest_;
  Overlong overlong_;
  std::string buffer_;
  size_t scanned_ = 0;
  size_t total_ = 0;
};

}  // namespace dbackup::host
