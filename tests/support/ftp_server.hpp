#pragma once

#include <filesystem>
#include <string>

#include "tests/support/child_server.hpp"

namespace dbackup::testing {

/// A real ProFTPD of this test alone on a free port of 127.0.0.1, with one account that is confined
/// to root(). Its certificate is of an authority of its own and names "localhost".
class FtpServer {
 public:
  enum class Tls { None, Explicit, Implicit };
  struct Options {
    Tls tls = Tls::None;
    bool facts = true;       ///< MLSD and MLST
    bool anonymous = false;  ///< root() belongs to the anonymous account
  };

  /// Throws std::runtime_error with the end of the server's log when it does not start.
  explicit FtpServer(Options options);

  int port() const noexcept { return port_; }
  std::string username() const { return "backup"; }
  std::string password() const { return "pass # word"; }
  std::filesystem::path root() const { return process_.folder() / "root"; }
  std::string ca_file() const { return (process_.folder() / "ca.pem").string(); }
  std::string log_tail() const { return process_.log_tail(); }

  /// Ends the server and all its sessions at once.
  void kill();
  /// Again on the same port.
  void restart();

 private:
  bool start();
  std::string configuration() const;

  Options options_;
  ChildServer process_{"ftp"};
  int port_ = 0;
};

}  // namespace dbackup::testing
