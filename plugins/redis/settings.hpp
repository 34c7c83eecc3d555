#pragma once

#include <dbackup/config.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dbackup::redis {

/// A server, as the target's side sees it.
struct Address {
  std::string host;
  int64_t port = 6379;

  std::string text() const {  // "[::1]:6379"
    const bool is_v6 = host.find(':') != std::string::npos;
    return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
  }
};

/// How connections are encrypted. Certificates and keys are PEM text.
struct TlsSettings {
  bool enabled = false;
  bool verify = true;     ///< chain and name
  std::string root_cert;  ///< "": those the system trusts
  std::string client_cert;
  std::string client_key;
};

struct Login {
  std::string username;
  std::string password;

  bool empty() const noexcept { return username.empty() && password.empty(); }
};

enum class RestoreMode {
  ReplaceAll,  ///< what is there goes first
  Merge,       ///< keys of the backup replace those of the same name, others stay
};

/// Everything an adapter is configured with.
struct Settings {
  Address server;
  Login login;
  TlsSettings tls;
  bool by_sentinel = false;
  std::string master_name;
  std::vector<Address> sentinels;
  Login sentinel_login;
  bool prefer_replica = false;
  RestoreMode restore_mode = RestoreMode::ReplaceAll;
  uint64_t max_value_bytes = 0;
  bool has_options = false;  ///< flags of a program, which is not run
  int64_t database = 0;      ///< shown when a request names none

  /// Throws Error{InvalidArgument} naming the option.
  static Settings from(const Config& config);
};

/// "0" to "99999"; nothing else is the name of a database.
std::optional<int64_t> database_number(std::string_view name) noexcept;

}  // namespace dbackup::redis
