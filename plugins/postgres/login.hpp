#pragma once

#include <dbackup/config.hpp>
#include <string>

namespace dbackup::postgres {

/// How to reach a server and as whom. `host` is a name, an address or the folder of a Unix socket.
struct Login {
  std::string host;
  int64_t port = 5432;
  std::string user;
  std::string password;
  std::string ssl_mode;       ///< as libpq spells it; "" leaves libpq's own default
  std::string ssl_root_cert;  ///< "" = libpq's own default

  static Login from(const Config& config) {
    return {.host = config.text_or("host", "localhost"),
            .port = config.integer_or("port", 5432),
            .user = config.required("user"),
            .password = config.text("password"),
            .ssl_mode = config.text("sslMode"),
            .ssl_root_cert = config.text("sslRootCert")};
  }
  bool is_socket() const noexcept { return host.starts_with('/') || host.starts_with('@'); }
};

}  // namespace dbackup::postgres
