#pragma once

#include <atomic>
#include <chrono>
#include <common/curl_handle.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "settings.hpp"

namespace dbackup::plugins::s3 {

using Check = CurlHandle::Check;

struct Request {
  std::string method = "GET";
  std::string key;     ///< not encoded; "": the bucket
  Pairs query = {};    ///< not encoded
  Pairs headers = {};  ///< lower-case names; all are signed
  std::span<const std::byte> body = {};
  /// SHA-256 of the body where it is known already; else computed.
  std::vector<unsigned char> body_sha256 = {};
  /// Statuses beside 2xx that are an answer and no error.
  std::set<int> accept = {};
  std::chrono::milliseconds stall{60'000};
  int attempts = 7;
  /// On a connection of its own: libcurl repeats, unasked, what got no answer on one that was kept.
  bool fresh = false;
  /// Takes the body of a 2xx answer instead of Response::body. May throw.
  CurlHandle::Take take = {};
  /// Called with status and headers before the first byte of a body that `take` gets.
  std::function<void(const struct Response&)> begin = {};
};

struct Response {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< lower-case names
  std::string body;

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string{} : found->second;
  }
};

/// What a server answered instead of success.
class ServiceError : public Error {
 public:
  ServiceError(ErrorCode code, const std::string& message, std::string detail, int status,
               std::string name)
      : Error{code, message, std::move(detail)}, status_{status}, name_{std::move(name)} {}
  int status() const noexcept { return status_; }
  /// S3's name of the error ("NoSuchKey"); "" for an answer without a body.
  const std::string& name() const noexcept { return name_; }

 private:
  int status_;
  std::string name_;
};

/// A TLS handshake that did not come to its end: a connection that broke off, or two sides that
/// have no protocol in common. (Certificates that are not trusted are another error.)
class HandshakeError : public Error {
 public:
  explicit HandshakeError(const Error& error) : Error{error.code(), error.what(), error.detail()} {}
};

/// The error of an answer to `what` ("cannot read \"s3://b/k\""). Never holds a secret.
ServiceError service_error(const Settings& settings, const std::string& what,
                           const Response& response);

/// Is it worth sending the same request again?
bool is_transient(const Error& error);

/// Waits longer from one attempt to the next: 0.2 s doubled, at most 10 s, each time a random part.
class Backoff {
 public:
  explicit Backoff(int attempts = 7) : left_{attempts - 1} {}
  /// Waits, asking `check` all the time; throws `error` on when no attempt is left.
  template <class E>
  void wait_or_throw(const E& error, const Check& check) {
    if (!may_retry(error)) throw error;
    wait(check);
  }
  void wait(const Check& check);

 private:
  bool may_retry(const Error& error);

  int left_;
  int handshakes_left_ = 3;  // what does not pass soon is a setting
  int tried_ = 0;
};

/// Signed requests to one bucket. Connections are kept and used again. Any thread; several at once.
class Client {
 public:
  explicit Client(Settings settings) : settings_{std::move(settings)} {}

  const Settings& settings() const noexcept { return settings_; }
  /// One attempt. `what` begins messages: "cannot list \"s3://b/\"". Throws ServiceError, or the
  /// transfer's Error.
  Response send_once(const Request& request, const std::string& what, const Check& check);
  /// With retries; for requests that may be sent twice. `retried` says whether an attempt may have
  /// reached the server without its answer being seen.
  Response send(const Request& request, const std::string& what, const Check& check,
                bool* retried = nullptr);
  /// send() of a body of which `request.body_sha256` is known, with the checksum that the settings
  /// ask for. Where they ask for none and the server insists on one, as a bucket with a default
  /// retention does, Content-MD5 goes with it and with every later one.
  Response send_body(Request request, const std::string& what, const Check& check);

 private:
  class Lease;

  Settings settings_;
  std::atomic<bool> sends_md5_ = false;
  std::mutex mutex_;
  std::vector<std::unique_ptr<CurlHandle>> idle_;
};

}  // namespace dbackup::plugins::s3
