#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/child_server.hpp"

namespace dbackup::testing {

/// A real SMTP server (aiosmtpd) on a free port of 127.0.0.1 that keeps what it takes. Its
/// certificate names "localhost" and 127.0.0.1.
class SmtpServer {
 public:
  /// `words`: what it offers and refuses; see smtp_server.py. Throws std::runtime_error with the
  /// end of its log when it does not start.
  explicit SmtpServer(const std::vector<std::string>& words = {});

  static bool installed();

  int port() const noexcept { return port_; }
  /// Its own certificate, PEM.
  const std::string& certificate() const noexcept { return certificate_; }
  /// Every message taken so far: from, receivers, tls, user, headers, type, parts, defects, longest
  /// line, raw.
  std::vector<nlohmann::json> messages() const;

 private:
  ChildServer process_{"smtp"};
  int port_ = 0;
  std::string certificate_;
};

}  // namespace dbackup::testing
