#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/child_server.hpp"

namespace dbackup::testing {

/// An answer of a server: text of strings and errors, digits of numbers; nil is "(nil)".
struct RedisAnswer {
  bool is_error = false;
  std::string text;
  std::vector<RedisAnswer> items;

  /// Everything in it, one line per leaf.
  std::string flat() const;
};

/// Certificates of one test: an authority, a server of the names given and a client, as PEM files
/// of `process`'s folder.
struct RedisCertificates {
  std::string authority, server, server_key, client, client_key;  ///< paths

  static RedisCertificates make(const ChildServer& process, const std::string& names);
};

/// A real Redis server (or sentinel) of this test alone, on a free port of 127.0.0.1, data in a
/// temporary folder, run by an unprivileged account.
class RedisServer {
 public:
  struct Options {
    std::vector<std::string> settings = {};  ///< lines of redis.conf
    bool tls = false;                        ///< on port(); plain_port() stays for the test itself
    std::string certificate_names = "IP:127.0.0.1";
    std::string rdb = {};  ///< dump.rdb to start with
    bool sentinel = false;
  };

  static bool installed();
  explicit RedisServer(Options options);
  RedisServer() : RedisServer{Options{}} {}

  /// Where the adapter shall connect.
  int port() const noexcept { return port_; }
  int plain_port() const noexcept { return plain_port_; }
  const RedisCertificates& certificates() const noexcept { return certificates_; }
  std::string log_tail() const { return process_.log_tail(); }
  std::string folder() const { return process_.folder().string(); }

  /// Runs one command over a connection that stays open; database 0 unless SELECT was sent.
  RedisAnswer ask(const std::vector<std::string>& words);
  /// The same; throws std::runtime_error for an error answer. The text, or all leaves of a list.
  std::string run(const std::vector<std::string>& words);
  void select(int database) { run({"SELECT", std::to_string(database)}); }
  /// Runs a command until its answer holds `wanted`; false after 20 seconds.
  bool wait_until(const std::vector<std::string>& words, std::string_view wanted);

  /// One text that changes when the keys of a database, their values, encodings, expiries or stream
  /// groups do.
  std::string fingerprint(int database);
  /// Of every database and the functions.
  std::string fingerprint();

  void kill() { process_.kill(); }
  /// Runs a program as the server's account.
  void run_program(const std::vector<std::string>& argv) const { process_.run(argv); }
  std::string write(const std::string& name, const std::string& content) const {
    return process_.write(name, content);
  }

 private:
  void connect();
  void send(std::string_view bytes);
  std::string line();
  RedisAnswer receive();

  ChildServer process_;
  Options options_;
  RedisCertificates certificates_;
  int port_ = 0;
  int plain_port_ = 0;
  struct Socket {
    int fd = -1;
    ~Socket();
  } socket_;
  std::string in_;
};

/// The whole of a file.
std::string file_content(const std::string& path);

}  // namespace dbackup::testing
