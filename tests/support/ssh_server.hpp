#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/child_server.hpp"

namespace dbackup::testing {

/// A real sshd on a free loopback port: its own host keys and configuration, logins by key for the
/// account that runs the test. Removed with the object.
class SshServer {
 public:
  struct Options {
    std::vector<std::string> host_key_types = {"ed25519"};
    std::vector<std::string> lines =
        {};  ///< of sshd_config, before the others: the first one counts
  };
  SshServer() : SshServer{Options{}} {}
  explicit SshServer(const Options& options);

  const std::string& host() const noexcept { return host_; }
  int port() const noexcept { return port_; }
  /// The account that logs in: the one this runs as.
  const std::string& user() const noexcept { return user_; }
  /// A private key that may log in, in OpenSSH's format.
  const std::string& key() const noexcept { return key_; }
  std::string key_file() const { return (server_.folder() / "client").string(); }
  /// Another one that may log in too; `arguments` go to ssh-keygen ("-t", "rsa", "-m", "PEM", …).
  std::string new_key(const std::vector<std::string>& arguments);
  /// Lets a public key in ("ssh-ed25519 AAAA…").
  void let_in(const std::string& public_key);
  /// "SHA256:…" of the host key of this type.
  std::string fingerprint(const std::string& type = "ed25519") const;

  /// TMPDIR of its logins.
  std::filesystem::path temporary_folder() const { return server_.folder() / "tmp"; }

  /// How many connections are open.
  size_t connections() const { return connection_processes().size(); }
  /// Kills what serves the connections, as a machine that goes away would; the server goes on.
  size_t kill_connections();
  /// Makes new host keys: from now on it is another machine.
  void change_host_keys();
  const std::filesystem::path& folder() const noexcept { return server_.folder(); }
  std::string log_tail() const { return server_.log_tail(); }

 private:
  void make_host_keys();
  void start();
  std::vector<pid_t> connection_processes() const;

  ChildServer server_{"sshd"};
  Options options_;
  std::string host_ = "127.0.0.1", user_, key_;
  int port_ = 0, keys_ = 0;
};

/// An account with a password, for as long as the object lives. Only root can make one.
class PasswordAccount {
 public:
  static bool possible();
  PasswordAccount();
  ~PasswordAccount();
  PasswordAccount(const PasswordAccount&) = delete;
  PasswordAccount& operator=(const PasswordAccount&) = delete;
  const std::string& name() const noexcept { return name_; }
  const std::string& password() const noexcept { return password_; }

 private:
  std::string name_, password_ = "pass'word \"1";
};

/// An ssh-agent with one key, named by SSH_AUTH_SOCK while the object lives.
class SshAgent {
 public:
  explicit SshAgent(const std::string& key_file);
  ~SshAgent();
  SshAgent(const SshAgent&) = delete;
  SshAgent& operator=(const SshAgent&) = delete;

 private:
  ChildServer server_{"ssh-agent"};
};

/// The children of a process, and theirs.
std::vector<pid_t> descendants(pid_t of);

}  // namespace dbackup::testing
