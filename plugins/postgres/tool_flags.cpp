#include "tool_flags.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace dbackup::postgres {
namespace {

Error refused(const std::string& flag, const std::string& why) {
  return Error{ErrorCode::InvalidArgument, "\"options\" must not contain \"" + flag + "\": " + why};
}

/// Flags that DBackup sets itself, or with which pg_dump would write something else than a dump.
constexpr std::array kReservedLong{"file", "format",   "dbname",   "host", "port",
                                   "jobs", "username", "password", "help", "version"};
constexpr std::string_view kReservedShort = "fFdhpUWjV?";
constexpr std::string_view kShortWithValue = "eEnNStTZ";

constexpr std::array kRestoreFlags{
    "--no-comments",      "--no-publications",     "--no-security-labels",     "--no-subscriptions",
    "--disable-triggers", "--enable-row-security", "--no-table-access-method", "--verbose"};

void check_long_flag(const std::string& flag) {
  const std::string_view name = std::string_view{flag}.substr(2, flag.find('=') - 2);
  if (name.empty()) throw refused(flag, "it would end the list of flags");
  // getopt_long takes every unambiguous beginning of a name for the name.
  const bool reserved = std::any_of(kReservedLong.begin(), kReservedLong.end(),
                                    [&](std::string_view full) { return full.starts_with(name); });
  if (reserved) throw refused(flag, "it is set by the adapter itself");
}

void check_short_flags(const std::string& flag) {
  for (const char letter : std::string_view{flag}.substr(1)) {
    if (kReservedShort.find(letter) != std::string_view::npos) {
      throw refused(flag, "it is set by the adapter itself");
    }
    if (kShortWithValue.find(letter) != std::string_view::npos) return;  // the rest is its value
  }
}

int level_of(const std::string& asked, const std::string& text, int least, int most) {
  int level = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
  if (error != std::errc{} || end != text.data() + text.size() || level < least || level > most) {
    throw Error{ErrorCode::InvalidArgument, "\"pgCompression\" has no such level: \"" + asked +
                                                "\" (" + std::to_string(least) + " to " +
                                                std::to_string(most) + ")"};
  }
  return level;
}

}  // namespace

std::string conninfo_pair(std::string_view key, std::string_view value) {
  std::string out{key};
  out += "='";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out += '\'';
}

std::string tool_conninfo(const Login& login, std::string_view database,
                          std::string_view application_name) {
  std::string out = conninfo_pair("dbname", database);
  out += ' ' + conninfo_pair("application_name", application_name);
  out += " connect_timeout='15'";
  if (!login.ssl_mode.empty()) out += ' ' + conninfo_pair("sslmode", login.ssl_mode);
  if (!login.ssl_root_cert.empty()) out += ' ' + conninfo_pair("sslrootcert", login.ssl_root_cert);
  return out;
}

std::string password_line(const std::string& password) {
  if (password.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos) {
    throw Error{ErrorCode::InvalidArgument, "the password must not contain line breaks"};
  }
  std::string out = "*:*:*:*:";
  for (const char c : password) {
    if (c == '\\' || c == ':') out += '\\';
    out += c;
  }
  return out += '\n';
}

void check_dump_flags(const std::vector<std::string>& flags) {
  for (const std::string& flag : flags) {
    if (flag.find('\0') != std::string::npos) throw refused("NUL", "no program can be given one");
    if (flag.starts_with("--")) {
      check_long_flag(flag);
    } else if (flag.size() > 1 && flag.front() == '-') {
      check_short_flags(flag);
    }
  }
}

void check_restore_flags(const std::vector<std::string>& flags) {
  for (const std::string& flag : flags) {
    if (std::find(kRestoreFlags.begin(), kRestoreFlags.end(), flag) != kRestoreFlags.end())
      continue;
    std::string known;
    for (const char* name : kRestoreFlags) known += (known.empty() ? "" : " ") + std::string{name};
    throw Error{ErrorCode::InvalidArgument,
                "\"restoreOptions\" must not contain \"" + flag + "\"; possible are " + known};
  }
}

Compression compression_flags(const std::string& asked, bool compressed_by_host) {
  if (asked.empty()) {
    if (compressed_by_host) return {.flags = {"-Z0"}, .compresses = false, .name = asked};
    return {.flags = {}, .compresses = true, .name = asked};
  }
  const size_t colon = asked.find(':');
  const std::string method = asked.substr(0, colon);
  const bool has_level = colon != std::string::npos;
  const std::string level = has_level ? asked.substr(colon + 1) : "";
  if (method == "NONE" && !has_level) {
    return {.flags = {"-Z0"}, .compresses = false, .name = asked};
  }
  if (method == "GZIP") {
    const int number = has_level ? level_of(asked, level, 0, 9) : 6;
    return {.flags = {"-Z" + std::to_string(number)}, .compresses = number > 0, .name = asked};
  }
  if (method == "LZ4" || method == "ZSTD") {
    std::string flag = method == "LZ4" ? "--compress=lz4" : "--compress=zstd";
    if (has_level) {
      const int most = method == "LZ4" ? 12 : 22;
      flag += ':' + std::to_string(level_of(asked, level, 1, most));
    }
    return {.flags = {flag}, .compresses = true, .needs_major = 16, .name = asked};
  }
  throw Error{ErrorCode::InvalidArgument,
              "\"pgCompression\" must be NONE, GZIP:n, LZ4:n or ZSTD:n, not \"" + asked + "\""};
}

int major_version(std::string_view version_text) {
  const size_t mark = version_text.find("(PostgreSQL) ");
  if (mark == std::string_view::npos) return 0;
  const std::string_view number = version_text.substr(mark + 13);
  int major = 0;
  std::from_chars(number.data(), number.data() + number.size(), major);
  return major;
}

}  // namespace dbackup::postgres
