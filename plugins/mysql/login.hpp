#pragma once

#include <cstdint>
#include <dbackup/config.hpp>
#include <dbackup/source.hpp>
#include <optional>
#include <string>

namespace dbackup::mysql {

/// How much of the way to the server is encrypted and checked.
enum class SslMode {
  Disable,
  Prefer,      ///< encrypted when the server can
  Require,     ///< encrypted, by whatever certificate
  VerifyCa,    ///< and the certificate comes from `ssl_root_cert`
  VerifyFull,  ///< and it names the host that was dialled
};

/// How to reach a server and as whom. `host` is a name, an address or the path of a Unix socket, of
/// the other machine over SSH.
struct Login {
  std::string host;
  int64_t port = 3306;
  std::string user;
  std::string password;
  SslMode ssl_mode = SslMode::Prefer;
  std::string ssl_root_cert;
  std::string ssl_cert;
  std::string ssl_key;
  bool over_ssh = false;

  /// Throws Error{InvalidArgument} for options that contradict each other, and Error{Unimplemented}
  /// for what cannot be had through SSH.
  static Login from(const Config& config);

  bool is_socket() const noexcept { return host.starts_with('/'); }
  bool must_encrypt() const noexcept { return ssl_mode >= SslMode::Require && !is_socket(); }
  /// The same server as somebody else, when a restore was given a privileged login.
  Login as(const std::optional<PrivilegedLogin>& privileged) const;
};

/// The name of a database as the adapter takes it. Throws Error{InvalidArgument} for names that no
/// server can hold and for the databases that belong to the server itself.
void check_name(const std::string& name);

/// information_schema, mysql, performance_schema, sys: in whatever case.
bool is_system_database(const std::string& name);

}  // namespace dbackup::mysql
