#pragma once

#include <poll.h>

#include "worker/ssh/patience.hpp"
#include "worker/ssh/ssh_handles.hpp"

namespace dbackup::host::ssh {

/// What the connection waits for, as poll() has it.
inline short wanted_events(ssh_session session) noexcept {
  const int flags = ssh_get_poll_flags(session);
  return static_cast<short>(((flags & SSH_READ_PENDING) != 0 ? POLLIN : 0) |
                            ((flags & SSH_WRITE_PENDING) != 0 ? POLLOUT : 0));
}

/// Repeats a call that does not block until it answers something else than `again`.
template <class Call>
int until_done(ssh_session session, const Patience& patience, int again, Call&& call) {
  for (;;) {
    const int rc = call();
    if (rc != again) return rc;
    patience.wait(ssh_get_fd(session), wanted_events(session));
  }
}

}  // namespace dbackup::host::ssh
