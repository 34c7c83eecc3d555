#pragma once

#include <sys/types.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace dbackup::testing {

/// A port of 127.0.0.1 that nothing listens on now, and that no other test gets while this process
/// lives; a program that is no test may still take it before it is used.
int free_port();

/// A server program of one test: a temporary folder of its own, a process ended and a folder removed
/// with the object. Dies with the test. Base for the servers beside it (PostgresServer, …).
class ChildServer {
 public:
  /// `account`: who runs the programs when the test is root ("" = root itself; an account that does not
  /// exist becomes nobody). The folder belongs to that account.
  explicit ChildServer(const std::string& name, const std::string& account = "");
  ~ChildServer();
  ChildServer(const ChildServer&) = delete;
  ChildServer& operator=(const ChildServer&) = delete;

  const std::filesystem::path& folder() const noexcept { return folder_; }
  std::filesystem::path log_file() const { return folder_ / "log"; }
  std::string log_tail() const;
  pid_t pid() const noexcept { return pid_; }
  bool running();

  /// Writes a file below the folder, readable by the account; its path.
  std::string write(const std::string& name, const std::string& content, unsigned mode = 0644) const;

  /// Runs a program to its end as the account; output goes to the log. Throws std::runtime_error with
  /// the log's end when it does not exit with 0.
  void run(const std::vector<std::string>& argv) const;
  /// Starts the server (absolute path first) and waits up to a minute until `ready`. False when it
  /// ended before, for example because its port was taken meanwhile.
  bool start(const std::vector<std::string>& argv, const std::function<bool()>& ready);
  /// As start(), ready when 127.0.0.1:`port` accepts.
  bool start_listening(const std::vector<std::string>& argv, int port);
  /// Ends the process and waits for it.
  void stop(int signal = SIGTERM);
  /// As a crash would.
  void kill() { stop(SIGKILL); }
  /// The same for a server that gives each session or worker a process of its own.
  void kill_family();

 private:
  pid_t spawn(const std::vector<std::string>& argv) const;

  std::filesystem::path folder_;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  pid_t pid_ = -1;
};

/// Does something accept connections there?
bool accepts(int port);

}  // namespace dbackup::testing
