#include "login.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "dialect.hpp"

namespace dbackup::mysql {
namespace {

constexpr size_t kNameCharacters = 64;

SslMode ssl_mode_of(const std::string& text) {
  if (text == "disable") return SslMode::Disable;
  if (text == "prefer" || text.empty()) return SslMode::Prefer;
  if (text == "require") return SslMode::Require;
  if (text == "verify-ca") return SslMode::VerifyCa;
  if (text == "verify-full") return SslMode::VerifyFull;
  throw Error{ErrorCode::InvalidArgument,
              "\"sslMode\" must be disable, prefer, require, verify-ca or verify-full, not \"" +
                  text + "\""};
}

void refuse_nul(const char* option, const std::string& value) {
  if (value.find('\0') == std::string::npos) return;
  throw Error{ErrorCode::InvalidArgument, "\"" + std::string{option} + "\" must not contain NUL"};
}

}  // namespace

Login Login::from(const Config& config) {
  Login out{.host = config.text_or("host", "localhost"),
            .port = config.integer_or("port", 3306),
            .user = config.required("user"),
            .password = config.text("password"),
            .ssl_mode = ssl_mode_of(config.text("sslMode")),
            .ssl_root_cert = config.text("sslRootCert"),
            .ssl_cert = config.text("sslCert"),
            .ssl_key = config.text("sslKey"),
            .over_ssh = config.text_or("connectionMode", "direct") == "ssh"};
  if (out.host.empty()) out.host = "localhost";
  if (config.flag_or("disableSsl", false)) out.ssl_mode = SslMode::Disable;
  refuse_nul("host", out.host);
  refuse_nul("user", out.user);
  refuse_nul("password", out.password);
  if (out.ssl_mode >= SslMode::VerifyCa && out.ssl_root_cert.empty()) {
    throw Error{ErrorCode::InvalidArgument,
                "\"sslMode\" verify-ca and verify-full need \"sslRootCert\""};
  }
  if (out.ssl_cert.empty() != out.ssl_key.empty()) {
    throw Error{ErrorCode::InvalidArgument, "\"sslCert\" and \"sslKey\" need each other"};
  }
  // The far end of the tunnel is called 127.0.0.1 here, and certificates do not name that.
  if (out.over_ssh && !out.is_socket() && out.ssl_mode == SslMode::VerifyFull) {
    throw Error{ErrorCode::Unimplemented,
                "\"sslMode\" verify-full cannot be checked over SSH; use verify-ca"};
  }
  return out;
}

Login Login::as(const std::optional<PrivilegedLogin>& privileged) const {
  Login out = *this;
  if (!privileged || privileged->user.empty()) return out;
  out.user = privileged->user;
  out.password = privileged->password;
  return out;
}

void check_name(const std::string& name) {
  if (name.empty()) throw Error{ErrorCode::InvalidArgument, "no database is named"};
  const auto quoted = [&] { return "database name \"" + name + "\""; };
  if (name.find('\0') != std::string::npos) {
    throw Error{ErrorCode::InvalidArgument, "a database name must not contain NUL"};
  }
  if (name.back() == ' ') throw Error{ErrorCode::InvalidArgument, quoted() + " ends with a blank"};
  const auto characters = std::count_if(name.begin(), name.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
  if (static_cast<size_t>(characters) > kNameCharacters) {
    throw Error{ErrorCode::InvalidArgument, quoted() + " is longer than 64 characters"};
  }
  if (is_system_database(name)) {
    throw Error{ErrorCode::InvalidArgument,
                "database \"" + name + "\" belongs to the server itself"};
  }
}

bool is_system_database(const std::string& name) {
  constexpr std::array<std::string_view, 4> kSystem{"information_schema", "mysql",
                                                    "performance_schema", "sys"};
  const std::string lower = lower_case(name);
  return std::find(kSystem.begin(), kSystem.end(), lower) != kSystem.end();
}

}  // namespace dbackup::mysql
