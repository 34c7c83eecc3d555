#pragma once

#include <common/remote_storage.hpp>

namespace dbackup::ftp {

/// One line of MLSD or the fact line of MLST (RFC 3659, section 7): "type=file;size=3; name".
/// nullopt for the folder itself, its parent and what is no entry.
std::optional<plugins::RemoteEntry> parse_facts(std::string_view line);

/// One line of LIST, which no standard describes: as ls -l prints it, or as DOS does. `now`:
/// seconds since 1970, for lines without a year. nullopt for what is no entry or cannot be read.
std::optional<plugins::RemoteEntry> parse_list_line(std::string_view line, int64_t now);

/// Is it a line of LIST that speaks of no entry: blank, or "total 8" in whatever language?
bool says_nothing(std::string_view line);

/// "YYYYMMDDHHMMSS" with an optional fraction, UTC (RFC 3659, section 2.3), in milliseconds since
/// 1970; nullopt when it is none.
std::optional<int64_t> parse_time_val(std::string_view text);

/// The time that backups carry in their names: "YYYY-MM-DD_HH-mm-ss" as UTC, or a date alone as its
/// noon; nullopt without.
std::optional<int64_t> time_in_name(std::string_view name);

}  // namespace dbackup::ftp
