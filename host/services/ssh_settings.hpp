#pragma once

#include <string>

#include "base/json.hpp"
#include "control/context.hpp"

namespace dbackup::host {

/// How a configuration calls its SSH settings: "sshHost", …, or "host", … where it has no others.
enum class SshNames { Prefixed, Bare };

/// `config` with the login of the SSH key profile `id` laid over it; "": as it is. Throws
/// Error{InvalidArgument} when there is no such profile, or it is of another type.
Json with_ssh_credential(const ControlContext& context, Json config, const std::string& id,
                         SshNames names);

/// Refuses settings that no connection could be made with: host, port, user, a way to log in, and
/// "backupPath" where it is given. Throws Error{InvalidArgument} naming the member.
void check_ssh_settings(Json& config, SshNames names);

}  // namespace dbackup::host
