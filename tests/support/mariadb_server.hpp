#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/child_server.hpp"

namespace dbackup::testing {

/// A real MariaDB server of this test alone: data in a temporary folder, a free port of 127.0.0.1
/// and a Unix socket, run by the account mysql, ended and removed with the object. It speaks TLS
/// with a certificate for "localhost" and 127.0.0.1, signed by ca_file(). "root" needs no password
/// over the socket; user() has password() and all rights, from everywhere.
class MariadbServer {
 public:
  /// Returns when the server answers. `settings`: more flags of mariadbd. Throws std::runtime_error
  /// with the end of the server's log when it does not start.
  explicit MariadbServer(const std::vector<std::string>& settings = {});

  static bool installed();

  const std::string& host() const noexcept { return host_; }
  int port() const noexcept { return port_; }
  std::string socket() const { return (process_.folder() / "s").string(); }
  const std::string& user() const noexcept { return user_; }
  const std::string& password() const noexcept { return password_; }
  std::string ca_file() const { return (process_.folder() / "ca.pem").string(); }
  /// An authority that has nothing to do with the server.
  std::string other_ca_file() const { return (process_.folder() / "other-ca.pem").string(); }
  pid_t pid() const noexcept { return process_.pid(); }

  /// Runs SQL as root and returns the last result: columns separated by '|', rows by '\n', NULL as
  /// "". `database`: current one, "" = none. Throws std::runtime_error with the server's words.
  std::string sql(const std::string& database, const std::string& text) const;
  /// Runs `text` until it returns `wanted`; false after ten seconds.
  bool wait_until(const std::string& text, const std::string& wanted) const;
  /// Everything that is in a database, as text: rows, tables, views, routines, triggers, events
  /// with what they were made under. "absent" when there is none.
  std::string content(const std::string& database) const;

  /// As a crash would.
  void kill() { process_.kill(); }
  /// On the same data and port.
  void start();

 private:
  void make_certificates() const;

  ChildServer process_{"mariadb", "mysql"};
  std::vector<std::string> settings_;
  std::string host_ = "127.0.0.1";
  int port_ = 0;
  std::string user_ = "backup er";
  std::string password_ = "s:e\\c'r\"et # ünd; \xF0\x9F\x94\x91 ";
};

}  // namespace dbackup::testing
