#pragma once

#include <string>
#include <string_view>

namespace dbackup::host {

/// A line of a log for people outside: addresses and credentials become "[address]" and "[hidden]".
/// What is recognised: the host part of URLs and what follows "?" in them, IPv4 and IPv6 addresses, a
/// name before a port, mail addresses and user@host; the value after a name like password, token or
/// host and "=" or ":", what follows Bearer and Basic, and long runs of letters and digits that look
/// like keys. A bare host name without any of that looks like a file name, and stays.
std::string masked(std::string_view line);

}  // namespace dbackup::host
