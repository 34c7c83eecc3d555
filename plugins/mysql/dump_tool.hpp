#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dialect.hpp"
#include "login.hpp"

namespace dbackup::mysql {

/// Throws Error{InvalidArgument} naming the first flag that would change where the tool connects,
/// what it writes or where to, abbreviations and clusters of short flags included.
void check_dump_flags(const std::vector<std::string>& flags);

/// The option file for `tool`: all of the login, the password and the certificates. Only ever read
/// as
/// --defaults-file, so that no file of the machine adds to it.
std::string login_file(const Login& login, const ToolVersion& tool);

/// The flags of a dump, for this tool and this server, before those of the user.
std::vector<std::string> dump_flags(const ToolVersion& tool, const ServerVersion& server);

/// What of a tool's standard error is worth a line in the log.
std::vector<std::string> worth_logging(std::string_view errors);

/// Is this the end of a dump that was finished? `tail`: its last bytes.
bool is_finished(std::string_view tail);

}  // namespace dbackup::mysql
