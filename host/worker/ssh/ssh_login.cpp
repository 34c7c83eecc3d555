#include "worker/ssh/ssh_login.hpp"

#include "base/error.hpp"

namespace dbackup::host::ssh {
namespace {

constexpr int64_t kLargestPort = 65535;

std::string text(const protocol::SshUse& use, const Json& config, const char* setting) {
  return get_string(config, use.member(setting)).value_or("");
}

[[noreturn]] void missing(const protocol::SshUse& use, const char* setting) {
  throw Error(ErrorCode::InvalidArgument,
              "\"" + use.member(setting) + "\" is needed for the SSH connection");
}

}  // namespace

std::string Login::server() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Login read_login(const protocol::SshUse& use, const Json& config, const protocol::SshTrust& trust) {
  Login login{
      .host = text(use, config, "host"),
      .port = static_cast<int>(get_int(config, use.member("port"), 1, kLargestPort).value_or(22)),
      .user = text(use, config, "username"),
      .password = SecretString{text(use, config, "password")},
      .private_key = SecretString{text(use, config, "privateKey")},
      .passphrase = SecretString{text(use, config, "passphrase")},
      .pinned = text(use, config, "hostKey"),
      .trust = trust};
  if (login.host.empty()) missing(use, "host");
  if (login.user.empty()) missing(use, "username");
  const std::string method = text(use, config, "authType");
  if (method == "privateKey") {
    login.method = Login::Method::PrivateKey;
    if (login.private_key.reveal().empty()) missing(use, "privateKey");
  } else if (method == "agent") {
    login.method = Login::Method::Agent;
  } else if (method.empty() || method == "password") {
    if (login.password.reveal().empty()) missing(use, "password");
  } else {
    throw Error(ErrorCode::InvalidArgument,
                "\"" + use.member("authType") + "\" must be password, privateKey or agent");
  }
  return login;
}

}  // namespace dbackup::host::ssh
