#pragma once

#include <string>

#include "base/unique_fd.hpp"
#include "worker/ssh/patience.hpp"

namespace dbackup::host::ssh {

/// A TCP connection to the first address of `host` that accepts; non-blocking, without delay, given
/// up by the system when nothing is acknowledged for half a minute. Throws Error{Unavailable} with
/// the system's reason.
UniqueFd dial(const std::string& host, int port, const Patience& patience);

/// A socket that listens on a free port of 127.0.0.1, for this machine only.
struct Listener {
  UniqueFd socket;
  int port = 0;
};
Listener listen_on_loopback();

}  // namespace dbackup::host::ssh
