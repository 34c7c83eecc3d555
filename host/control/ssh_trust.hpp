#pragma once

#include <string>

#include "control/context.hpp"
#include "protocol/descriptor.hpp"
#include "protocol/message.hpp"

namespace dbackup::host {

/// What a worker is told of the SSH server that `config` names: the policy of "ssh.host_keys" and
/// the key that is known. [any-thread]
protocol::SshTrust ssh_trust(const ControlContext& context, const protocol::SshUse& use,
                             const Json& config);

/// A worker accepted a key because none was known ("host_key" event): kept when the policy is still
/// trust-first. When another process was faster its key stays; that it is another key is a warning
/// in the log. Never throws. [any-thread]
void keep_host_key(const ControlContext& context, const Json& seen) noexcept;

/// A host as keys are kept for it.
std::string host_key_host(const std::string& host);

}  // namespace dbackup::host
