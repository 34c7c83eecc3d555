#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "login.hpp"

namespace dbackup::postgres {

/// One `key='value'` of a libpq connection string, with its quoting.
std::string conninfo_pair(std::string_view key, std::string_view value);

/// The connection string given to a tool's --dbname. The name always travels in here: a bare name
/// with
/// '=' in it, or one that begins like a URL, would be taken for a connection string by the tool.
std::string tool_conninfo(const Login& login, std::string_view database,
                          std::string_view application_name);

/// The one line of a password file that fits every server, database and user.
/// Throws Error{InvalidArgument} for a password such a file cannot hold (line breaks, NUL).
std::string password_line(const std::string& password);

/// Throws Error{InvalidArgument} naming the first flag that would change where pg_dump connects,
/// what it writes or where to, abbreviations and clusters of short flags included.
void check_dump_flags(const std::vector<std::string>& flags);

/// Throws Error{InvalidArgument} naming the first flag that is not one of the few a restore may
/// add. Filters are not among them: pg_restore could then commit before it has seen the end of its
/// input.
void check_restore_flags(const std::vector<std::string>& flags);

/// What was asked of pg_dump's own compression.
struct Compression {
  std::vector<std::string> flags;  ///< "-Z0", …; empty = the tool's default
  bool compresses = true;
  int needs_major = 0;  ///< lowest major version of pg_dump that knows the flag; 0 = any
  std::string name;     ///< as it was asked for
};

/// `asked`: "", "NONE", "GZIP[:n]", "LZ4[:n]" or "ZSTD[:n]". Throws Error{InvalidArgument}
/// otherwise.
Compression compression_flags(const std::string& asked, bool compressed_by_host);

/// 15 from "pg_dump (PostgreSQL) 15.20 (Debian …)"; 0 when the text is something else.
int major_version(std::string_view version_text);

}  // namespace dbackup::postgres
