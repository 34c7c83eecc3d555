#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/child_server.hpp"

namespace dbackup::testing {

/// The S3 server of s3_server.py: checks signatures and payloads by itself, keeps its data in a
/// temporary folder over a restart, and fails on demand. One bucket, "bucket". Region "us-east-1".
class S3Server {
 public:
  /// `config`: members of CONFIG in s3_server.py. Throws std::runtime_error when it does not start.
  explicit S3Server(nlohmann::json config = nlohmann::json::object());

  int port() const noexcept { return port_; }
  std::string endpoint() const { return scheme_ + "://127.0.0.1:" + std::to_string(port_); }
  /// endpoint, bucket, access key, region and what else an adapter of the S3 family needs.
  nlohmann::json adapter_config() const;
  const ChildServer& process() const noexcept { return process_; }

  void configure(const nlohmann::json& members) { ask("config", members); }
  /// One fault; see fault() in s3_server.py.
  void fail(const nlohmann::json& fault) { ask("fault", fault); }
  /// An object that no client of ours would make.
  void plant(const std::string& key, const std::string& content) {
    ask("plant", {{"key", key}, {"content", content}});
  }
  void uproot(const std::string& key) { ask("uproot", {{"key", key}}); }
  /// Forgets faults and requests.
  void clear() { ask("clear", nlohmann::json::object()); }
  /// Ends all holds.
  void release() { ask("release", nlohmann::json::object()); }
  /// The requests so far: {"method","bucket","key","query","host","headers","fault"}.
  nlohmann::json requests() const { return ask("log"); }
  /// How many requests of that method had the query member ("": any).
  int count(const std::string& method, const std::string& query = "") const;
  /// {"objects": {key: …}, "uploads": {id: {"key", "parts"}}} of the bucket.
  nlohmann::json state() const { return ask("state").at("bucket"); }
  /// Waits up to ten seconds until `holds`.
  bool wait_until(const std::function<bool()>& holds) const;

  void kill() { process_.kill(); }
  /// On the same port, with the same data.
  void restart();

 private:
  void start();
  nlohmann::json ask(const std::string& what, const nlohmann::json& body = nullptr) const;

  ChildServer process_{"s3"};
  nlohmann::json config_;
  std::string scheme_ = "http";
  int port_ = 0;
};

}  // namespace dbackup::testing
