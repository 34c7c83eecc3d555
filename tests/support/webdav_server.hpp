#pragma once

#include <filesystem>
#include <string>

#include "tests/support/child_server.hpp"

namespace dbackup::testing {

/// A real Apache with mod_dav of this test alone on a free port of 127.0.0.1. The collection
/// url() is root(); its certificate names "localhost" and is its own authority.
class WebdavServer {
 public:
  enum class Auth { Basic, Digest, None };
  struct Options {
    Auth auth = Auth::Basic;
    bool tls = false;
    std::string more = {};  ///< lines for the location
  };

  /// Throws std::runtime_error with the end of the server's log when it does not start.
  explicit WebdavServer(Options options);

  std::string url() const;
  int port() const noexcept { return port_; }
  std::string username() const { return "backup"; }
  std::string password() const { return "pass # word"; }
  std::filesystem::path root() const { return process_.folder() / "root"; }
  std::string ca_file() const { return (process_.folder() / "ca.pem").string(); }

  /// Ends the server and all its workers at once.
  void kill();
  /// Again on the same port.
  void restart();

 private:
  bool start();
  std::string configuration() const;

  Options options_;
  ChildServer process_{"webdav", "www-data"};
  int port_ = 0;
};

}  // namespace dbackup::testing
