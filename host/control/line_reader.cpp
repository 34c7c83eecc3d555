#include "control/line_reader.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.hpp"

namespace dbackup::host {

LineReader::State LineReader::fill(int fd) {
  std::array<char, 64 * 1024> chunk;
  for (;;) {
    const ssize_t count = ::read(fd, chunk.data(), chunk.size());
    if (count > 0) {
      total_ += static_cast<size_t>(count);
      buffer_.append(chunk.data(), static_cast<size_t>(count));
      return State::Open;
    }
    if (count == 0) return State::Closed;
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return State::Open;
    throw_errno(errno, "cannot read from a worker");
  }
}

void LineReader::check_length() const {
  if (buffer_.size() > longest_) {
    throw Error(ErrorCode::InvalidArgument,
                "a line is longer than " + std::to_string(longest_) + " bytes", {}, "line");
  }
}

}  // namespace dbackup::host
