#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace dbackup::testing {

using Json = nlohmann::json;

/// An answer of the REST API.
struct Answer {
  long status = 0;  ///< 0: no answer at all; `body` then holds the client's reason
  std::string body;
  std::map<std::string, std::string> headers;  ///< names in lower case
  Json json() const { return Json::parse(body, nullptr, false); }
};

struct CallOptions {
  std::string key;  ///< bearer; "" = the server's own full key, "-" = none
  std::map<std::string, std::string> headers = {};
  std::chrono::milliseconds timeout{60'000};
};

/// Polls until `done` is true; false after `limit`. The one way to wait in these tests.
bool wait_until(const std::function<bool()>& done, std::chrono::milliseconds limit = std::chrono::seconds{30});

/// A folder below the system's temporary one, removed with everything in it.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// The real program, started as an operator would, on a free port, with its data in a temporary folder.
class DBackupServer {
 public:
  struct Options {
    std::map<std::string, std::string> environment = {};
    bool with_test_plugins = false;  ///< also lib/dbackup/test-plugins
    std::string ca_file = "";        ///< believed over https; "": the certificate the server made
  };
  explicit DBackupServer(Options options);
  DBackupServer() : DBackupServer{Options{}} {}
  ~DBackupServer();

  void start();        ///< waits until /api/health answers 200
  int stop();          ///< SIGTERM; the exit status
  void kill_hard();    ///< SIGKILL to the host alone, reaped
  pid_t pid() const { return pid_; }
  std::string url() const;
  bool is_https() const;  ///< by DBACKUP_TLS_ENABLED
  int port() const { return port_; }
  const std::string& key() const { return key_; }
  std::filesystem::path data_dir() const { return folder_.path() / "data"; }
  std::string log() const;  ///< everything it wrote to standard error so far

  Answer call(const std::string& method, const std::string& path, const Json& body = nullptr, const CallOptions& options = {}) const;
  Answer get(const std::string& path) const { return call("GET", path); }
  Answer post(const std::string& path, const Json& body = nullptr) const { return call("POST", path, body); }

  /// Runs `dbackup` with these arguments on the same data directory: exit status and standard output.
  std::pair<int, std::string> run_cli(const std::vector<std::string>& arguments) const;
  /// A key with just these permissions.
  std::string make_key(const std::string& permissions) const;

  /// Shortcuts that assert success by throwing std::runtime_error with the answer.
  std::string create_adapter(const std::string& type, const std::string& kind, const Json& config, std::string name = "");
  std::string create_job(const Json& fields);
  std::string run_job(const std::string& job_id, const Json& body = nullptr);
  /// Polls until the execution has ended; its .data with logs.
  Json wait_for(const std::string& execution_id, std::chrono::milliseconds limit = std::chrono::seconds{60}) const;
  Json files(const std::string& storage_id) const;

  /// Processes of this server that still live, itself excluded (workers and their tools).
  std::vector<pid_t> descendants() const;

 private:
  TempFolder folder_;
  Options options_;
  std::string key_;
  pid_t pid_ = -1;
  int port_ = 0;
  int counter_ = 0;
};

/// Every regular file below `folder`, relative, sorted.
std::vector<std::string> files_below(const std::filesystem::path& folder);
/// Runs a program found in PATH without a shell: exit status and standard output.
std::pair<int, std::string> run_program(const std::vector<std::string>& argv, const std::string& input = "");

}  // namespace dbackup::testing
