#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/child_server.hpp"

namespace dbackup::testing {

/// A real PostgreSQL server of this test alone: data in a temporary folder, a free port of
/// 127.0.0.1 and a Unix socket, run by an unprivileged user, ended and removed with the object. The
/// superuser "postgres" needs password() over TCP and none over the socket.
class PostgresServer {
 public:
  /// Returns when the server answers. `settings`: lines for postgresql.conf. Throws
  /// std::runtime_error with the end of the server's log when it does not start.
  explicit PostgresServer(const std::vector<std::string>& settings = {});

  /// Is there a server to start on this machine?
  static bool installed();

  const std::string& host() const noexcept { return host_; }
  int port() const noexcept { return port_; }
  std::string socket_folder() const { return process_.folder().string(); }
  const std::string& user() const noexcept { return user_; }
  const std::string& password() const noexcept { return password_; }
  pid_t pid() const noexcept { return process_.pid(); }
  std::filesystem::path log_file() const { return process_.log_file(); }

  /// Runs SQL as the superuser and returns the last result: columns separated by '|', rows by '\n'.
  /// NULL is "". Throws std::runtime_error with the server's words.
  std::string sql(const std::string& database, const std::string& text) const;
  /// Runs `text` until it returns `wanted`; false after ten seconds.
  bool wait_until(const std::string& database, const std::string& text,
                  const std::string& wanted) const;
  /// One line that changes whenever the content, the structure or the sequences of a database
  /// change.
  std::string fingerprint(const std::string& database) const;

  /// Ends the server at once, as a crash would: it ends its children and itself, without writing
  /// anything ("immediate").
  void kill() { process_.stop(SIGQUIT); }

 private:
  ChildServer process_{"postgres", "postgres"};
  std::string host_ = "127.0.0.1";
  int port_ = 0;
  std::string user_ = "postgres";
  std::string password_ = "s:e\\c'r\"et ünd \xF0\x9F\x94\x91";
};

}  // namespace dbackup::testing
