#pragma once

#include <cstdint>
#include <string>

#include "base/json.hpp"
#include "base/secret_string.hpp"
#include "protocol/descriptor.hpp"
#include "protocol/message.hpp"

namespace dbackup::host::ssh {

/// Where and how to log in, and which host key to accept.
struct Login {
  enum class Method { Password, PrivateKey, Agent };

  std::string host;
  int port = 22;
  std::string user;
  Method method = Method::Password;
  SecretString password, private_key, passphrase;
  std::string pinned;  ///< "SHA256:…" that beats the server's policy; empty: none
  protocol::SshTrust trust;

  /// "host:port", as errors name the server.
  std::string server() const;
};

/// Reads the options that `use` names. Throws Error{InvalidArgument} naming what is missing.
Login read_login(const protocol::SshUse& use, const Json& config, const protocol::SshTrust& trust);

}  // namespace dbackup::host::ssh
