#pragma once

#include "worker/ssh/patience.hpp"
#include "worker/ssh/ssh_handles.hpp"
#include "worker/ssh/ssh_login.hpp"

namespace dbackup::host::ssh {

/// Logs in with the one method the login names: nothing else is tried, no key is looked for. A
/// password also answers what the server asks by keyboard-interactive. See connect() for what it
/// throws.
void log_in(ssh_session session, const Login& login, const Patience& patience);

/// A private key from its text: OpenSSH, PKCS#1 or PKCS#8. Throws Error{InvalidArgument}.
KeyHandle read_private_key(const Login& login);

}  // namespace dbackup::host::ssh
