#include "dump_tool.hpp"

#include <algorithm>
#include <array>

namespace dbackup::mysql {
namespace {

Error refused(const std::string& flag, const std::string& why) {
  return Error{ErrorCode::InvalidArgument, "\"options\" must not contain \"" + flag + "\": " + why};
}

/// Flags the adapter sets itself, or with which the tool would write something else than the dump
/// of one database, or to somewhere else. "skip-", "disable-" and the like before them are no
/// different.
constexpr std::array<std::string_view, 44> kReserved{"all-databases",
                                                     "all-tablespaces",
                                                     "character-sets-dir",
                                                     "comments",
                                                     "compact",
                                                     "connect-timeout",
                                                     "databases",
                                                     "debug",
                                                     "debug-check",
                                                     "debug-info",
                                                     "default-auth",
                                                     "defaults-extra-file",
                                                     "defaults-file",
                                                     "defaults-group-suffix",
                                                     "fields-enclosed-by",
                                                     "fields-escaped-by",
                                                     "fields-optionally-enclosed-by",
                                                     "fields-terminated-by",
                                                     "help",
                                                     "host",
                                                     "init-command",
                                                     "lines-terminated-by",
                                                     "log-error",
                                                     "login-path",
                                                     "no-defaults",
                                                     "no-login-paths",
                                                     "parallel",
                                                     "password",
                                                     "pipe",
                                                     "plugin-dir",
                                                     "port",
                                                     "print-defaults",
                                                     "protocol",
                                                     "result-file",
                                                     "server-public-key-path",
                                                     "set-charset",
                                                     "socket",
                                                     "system",
                                                     "tab",
                                                     "tables",
                                                     "tls-version",
                                                     "user",
                                                     "version",
                                                     "xml"};
/// What every dump is made with, before the flags of the user. A row may be as long as the tools
/// can take at all: the server's own limit is another matter.
constexpr std::array kDefaults{"--single-transaction",
                               "--quick",
                               "--routines",
                               "--events",
                               "--triggers",
                               "--hex-blob",
                               "--comments",
                               "--default-character-set=utf8mb4",
                               "--max-allowed-packet=1G"};

constexpr std::string_view kReservedShort = "?#ABhiNPrSTupVWX";
constexpr std::string_view kShortWithValue = "w";

void check_long_flag(const std::string& flag) {
  std::string name = flag.substr(2, flag.find('=') - 2);
  if (name.empty()) throw refused(flag, "it would end the list of flags");
  std::replace(name.begin(), name.end(), '_', '-');
  for (const std::string_view prefix : {"skip-", "disable-", "enable-", "loose-", "maximum-"}) {
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
  }
  // The tools take every unambiguous beginning of a name for the name.
  const bool reserved =
      name.starts_with("ssl") || std::any_of(kReserved.begin(), kReserved.end(),
                                             [&](auto full) { return full.starts_with(name); });
  if (reserved) throw refused(flag, "it is set by the adapter itself");
  if (!std::string_view{"default-character-set"}.starts_with(name)) return;
  const size_t equals = flag.find('=');
  const std::string charset =
      equals == std::string::npos ? "" : lower_case(flag.substr(equals + 1));
  if (charset != "utf8mb4" && charset != "binary") {
    throw refused(flag, "characters it does not have would become '?'; utf8mb4 has all");
  }
}

void check_short_flags(const std::string& flag) {
  for (const char letter : std::string_view{flag}.substr(1)) {
    if (kReservedShort.find(letter) != std::string_view::npos) {
      throw refused(flag, "it is set by the adapter itself");
    }
    if (kShortWithValue.find(letter) != std::string_view::npos) return;  // the rest is its value
  }
}

/// A value of an option file: in quotes, with what the reader of such files unescapes.
std::string quoted(const std::string& value) {
  std::string out = "\"";
  for (const char c : value) {
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '"':
        out += "\\\"";
        break;
      default:
        out += c;
    }
  }
  return out + "\"";
}

void add_ssl_files(std::string& out, const Login& login) {
  if (!login.ssl_root_cert.empty()) out += "ssl-ca=" + quoted(login.ssl_root_cert) + "\n";
  if (!login.ssl_cert.empty()) out += "ssl-cert=" + quoted(login.ssl_cert) + "\n";
  if (!login.ssl_key.empty()) out += "ssl-key=" + quoted(login.ssl_key) + "\n";
}

std::string mariadb_ssl(const Login& login, int number) {
  if (login.ssl_mode == SslMode::Disable) return "skip-ssl\n";
  std::string out = "ssl\n";
  add_ssl_files(out, login);
  // Since 11.4 the tools check nothing at all without this, not even the chain.
  const bool verify = login.ssl_mode == SslMode::VerifyFull ||
                      (login.ssl_mode == SslMode::VerifyCa && number >= 110400);
  return out + (verify ? "ssl-verify-server-cert\n" : "ssl-verify-server-cert=0\n");
}

std::string mysql_ssl(const Login& login, int number) {
  if (number < 50711) {  // before --ssl-mode
    if (login.ssl_mode == SslMode::Disable) return "skip-ssl\n";
    std::string out = "ssl\n";
    add_ssl_files(out, login);
    if (login.ssl_mode == SslMode::VerifyFull) out += "ssl-verify-server-cert\n";
    return out;
  }
  constexpr std::array kModes{"DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"};
  std::string out = std::string{"ssl-mode="} + kModes[static_cast<size_t>(login.ssl_mode)] + "\n";
  if (login.ssl_mode != SslMode::Disable) add_ssl_files(out, login);
  return out;
}

}  // namespace

void check_dump_flags(const std::vector<std::string>& flags) {
  for (const std::string& flag : flags) {
    if (flag.starts_with("--")) {
      check_long_flag(flag);
    } else if (flag.size() > 1 && flag.front() == '-') {
      check_short_flags(flag);
    } else {
      // Alone it would be the name of a database or a table; as a value it belongs behind a '='.
      throw refused(flag, "it is no flag; write a value as --flag=value");
    }
  }
}

std::string login_file(const Login& login, const ToolVersion& tool) {
  std::string out = "[client]\n";
  if (login.is_socket()) {
    out += "protocol=socket\nsocket=" + quoted(login.host) + "\n";
  } else {
    // "localhost" would mean a socket, the other way round than everywhere else.
    out +=
        "protocol=tcp\nhost=" + quoted(login.host) + "\nport=" + std::to_string(login.port) + "\n";
  }
  out += "user=" + quoted(login.user) + "\npassword=" + quoted(login.password) + "\n";
  if (login.is_socket()) return out;
  return out + (tool.mariadb ? mariadb_ssl(login, tool.number) : mysql_ssl(login, tool.number));
}

std::vector<std::string> dump_flags(const ToolVersion& tool, const ServerVersion& server) {
  std::vector<std::string> out{kDefaults.begin(), kDefaults.end()};
  if (tool.mariadb) return out;
  if (tool.number >= 50600) out.emplace_back("--set-gtid-purged=OFF");  // is the whole server's
  if (tool.number >= 80000 && (server.mariadb || server.number < 80000)) {
    out.emplace_back("--column-statistics=0");  // asks for a table that only MySQL 8 has
  }
  if (tool.number >= 80021 || (tool.number >= 50731 && tool.number < 80000)) {
    out.emplace_back("--no-tablespaces");  // would need the right PROCESS
  }
  return out;
}

std::vector<std::string> worth_logging(std::string_view errors) {
  constexpr size_t kMostLines = 50;
  constexpr size_t kMostBytes = 500;
  std::vector<std::string> out;
  while (!errors.empty()) {
    const size_t end = errors.find('\n');
    const std::string_view line = errors.substr(0, end);
    errors = end == std::string_view::npos ? std::string_view{} : errors.substr(end + 1);
    const bool is_noise = line.empty() || line.find("Using a password") != std::string_view::npos ||
                          line.find("Deprecated program name") != std::string_view::npos;
    if (!is_noise && out.size() < kMostLines) out.emplace_back(line.substr(0, kMostBytes));
  }
  return out;
}

bool is_finished(std::string_view tail) {
  const size_t at = tail.rfind("-- Dump completed");
  if (at == std::string_view::npos) return false;
  const size_t end = tail.find('\n', at);  // only its own line and blank ones may follow
  return end == std::string_view::npos ||
         tail.find_first_not_of(" \r\n\t", end) == std::string_view::npos;
}

}  // namespace dbackup::mysql
