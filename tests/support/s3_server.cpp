#include "tests/support/s3_server.hpp"

#include <chrono>
#include <common/curl_handle.hpp>
#include <stdexcept>
#include <thread>

#include "tests/support/paths.hpp"

namespace dbackup::testing {

using nlohmann::json;

S3Server::S3Server(json config)
    : config_(std::move(config)) {  // braces would make an array that holds it
  if (config_.contains("certificate")) scheme_ = "https";
  // Somebody else may take the port in between.
  for (int tries = 5;; --tries) {
    port_ = free_port();
    try {
      start();
      return;
    } catch (const std::runtime_error&) {
      if (tries == 1) throw;
    }
  }
}

void S3Server::start() {
  const bool started = process_.start_listening(
      {"/usr/bin/python3", "-B", ::dbackup::test::source_dir() + "/tests/support/s3_server.py",
       (process_.folder() / "data").string(), std::to_string(port_), config_.dump()},
      port_);
  if (!started) throw std::runtime_error{"the S3 server did not start: " + process_.log_tail()};
}

void S3Server::restart() {
  process_.kill();
  start();
}

json S3Server::adapter_config() const {
  return {{"endpoint", endpoint()},     {"bucket", "bucket"},
          {"accessKeyId", "AKIDTEST"},  {"secretAccessKey", "test/secret+key"},
          {"region", "us-east-1"},      {"pathPrefix", "some/prefix"},
          {"accountId", "0123456789ab"}};
}

json S3Server::ask(const std::string& what, const json& body) const {
  plugins::CurlHandle curl;
  std::string answer;
  const std::string text = body.dump();
  curl.url(endpoint() + "/-/" + what);
  curl.set(CURLOPT_SSL_VERIFYPEER, 0L);
  if (!body.is_null()) curl.set(CURLOPT_POSTFIELDS, text.c_str());
  curl.on_body([&](std::span<const std::byte> block) {
    answer.append(reinterpret_cast<const char*>(block.data()), block.size());
  });
  curl.perform("cannot steer the S3 server", [] {});
  return json::parse(answer);
}

int S3Server::count(const std::string& method, const std::string& query) const {
  int out = 0;
  for (const json& request : requests()) {
    if (request.at("method") == method && (query.empty() || request.at("query").contains(query))) {
      ++out;
    }
  }
  return out;
}

bool S3Server::wait_until(const std::function<bool()>& holds) const {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return true;
}

}  // namespace dbackup::testing
