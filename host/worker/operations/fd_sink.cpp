#include "worker/operations/fd_sink.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>

namespace dbackup::host {
namespace {

constexpr int kPipeSize = 1024 * 1024;

}  // namespace

FdSink::FdSink(int fd, CancelToken cancel)
    : fd_{fd}, cancel_{std::move(cancel)}, cancel_event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
  if (!cancel_event_) throw_errno(errno, "cannot make an event");
  flags_before_ = ::fcntl(fd_, F_GETFL);
  if (flags_before_ < 0 || ::fcntl(fd_, F_SETFL, flags_before_ | O_NONBLOCK) != 0) {
    throw_errno(errno, "cannot use the descriptor for bulk bytes");
  }
  ::fcntl(fd_, F_SETPIPE_SZ, kPipeSize);  // a wish; it may not be a pipe at all
  on_cancel_.emplace(cancel_.stop_token(), [event = cancel_event_.get()] {
    const uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(event, &one, sizeof one);
  });
}

FdSink::~FdSink() { ::fcntl(fd_, F_SETFL, flags_before_); }

void FdSink::write(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes = bytes.subspan(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      std::array<pollfd, 2> wanted{{{fd_, POLLOUT, 0}, {cancel_event_.get(), POLLIN, 0}}};
      ::poll(wanted.data(), wanted.size(), -1);
    } else if (errno == EPIPE || errno == ECONNRESET) {
      throw Error(ErrorCode::Cancelled, "the reader of the file is gone");
    } else if (errno != EINTR) {
      throw_errno(errno, "cannot pass on the file");
    }
    cancel_.throw_if_cancelled();
  }
}

}  // namespace dbackup::host
