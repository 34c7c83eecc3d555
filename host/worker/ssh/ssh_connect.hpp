#pragma once

#include "worker/ssh/patience.hpp"
#include "worker/ssh/ssh_handles.hpp"
#include "worker/ssh/ssh_login.hpp"

namespace dbackup::host::ssh {

/// A connection on which the user is logged in; its calls do not block.
struct Connected {
  SessionHandle session;
  protocol::SshHostKey key;  ///< the server's
  bool is_new = false;       ///< accepted because nothing was known: to be remembered
};

/// Connects, checks the host key and logs in, within 20 s. Throws Error{Unavailable} when the
/// server cannot be reached, {FailedPrecondition, "ssh_host_key"} when its key is not the expected
/// one, not known, or not the one that this process accepted before, {Unauthenticated} when it does
/// not let the user in, {InvalidArgument} for a private key that cannot be read.
Connected connect(const Login& asked, const CancelToken& cancel);

/// Which host key is this, may it be used? The decision alone, without a connection: throws as
/// connect() does; true when the key is new.
bool check_host_key(const Login& login, const protocol::SshHostKey& shown);

}  // namespace dbackup::host::ssh
