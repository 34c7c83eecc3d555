#include "worker/output_capture.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <cstdio>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kLongestLine = 4 * 1024;

}  // namespace

OutputCapture::OutputCapture(Journal& journal)
    : journal_{journal}, stop_event_{::eventfd(0, EFD_CLOEXEC)} {
  if (!stop_event_) throw_errno(errno, "cannot make an event");
  for (size_t i = 0; i < streams_.size(); ++i) {
    Pipe pipe = make_pipe();
    if (::fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK) != 0 ||
        ::dup2(pipe.write_end.get(), static_cast<int>(i) + 1) < 0) {
      throw_errno(errno, "cannot redirect the standard output");
    }
    streams_[i].pipe = std::move(pipe.read_end);
  }
  streams_[1].level = JournalLevel::Warning;
  thread_ = std::thread{[this] { pump(); }};
}

OutputCapture::~OutputCapture() {
  const uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(stop_event_.get(), &one, sizeof one);
  thread_.join();
}

void OutputCapture::flush() {
  std::fflush(nullptr);
  const std::lock_guard lock{mutex_};
  for (Stream& stream : streams_) {
    take(stream);
    tell(stream);
  }
}

void OutputCapture::pump() noexcept {
  std::array<pollfd, 3> wanted{{{streams_[0].pipe.get(), POLLIN, 0},
                                {streams_[1].pipe.get(), POLLIN, 0},
                                {stop_event_.get(), POLLIN, 0}}};
  for (;;) {
    if (::poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR) return;
    if (wanted[2].revents != 0) return;
    const std::lock_guard lock{mutex_};
    for (size_t i = 0; i < streams_.size(); ++i) {
      if (wanted[i].revents != 0) take(streams_[i]);
    }
  }
}

void OutputCapture::take(Stream& stream) noexcept {
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t n = ::read(stream.pipe.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    for (const char c : std::string_view{buffer.data(), static_cast<size_t>(n)}) {
      if (c == '\n') {
        tell(stream);
      } else if (stream.line.size() < kLongestLine) {
        stream.line += c;
      }
    }
  }
}

void OutputCapture::tell(Stream& stream) noexcept {
  if (!stream.line.empty()) journal_.log({.level = stream.level, .message = stream.line});
  stream.line.clear();
}

}  // namespace dbackup::host
