#include "client.hpp"

#include <algorithm>
#include <random>
#include <thread>

#include "common/percent_encoding.hpp"

namespace dbackup::plugins::s3 {
namespace {

// A page of a listing has at most a thousand keys of at most a thousand bytes, each encoded.
constexpr size_t kMostBody = 16 * 1024 * 1024;
constexpr std::chrono::milliseconds kFirstWait{200};
constexpr std::chrono::milliseconds kLongestWait{10'000};
constexpr std::chrono::milliseconds kAskAgain{50};

void take_header(Response& response, std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {  // of the final answer, after 100 Continue
    response.headers.clear();
    const size_t blank = line.find(' ');
    response.status = 0;
    for (size_t at = blank + 1; blank != line.npos && at < line.size() && at < blank + 4; ++at) {
      if (line[at] < '0' || line[at] > '9') break;
      response.status = response.status * 10 + (line[at] - '0');
    }
    return;
  }
  const size_t colon = line.find(':');
  if (colon == line.npos) return;
  std::string name{line.substr(0, colon)};
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
  while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
  response.headers[name] = value;
}

/// May a refusal be due to a missing checksum? Services say it by a general name.
bool insists_on_checksum(const ServiceError& error) {
  return error.status() == 400 &&
         (error.name() == "InvalidRequest" || error.name() == "MissingContentMD5");
}

}  // namespace

bool Backoff::may_retry(const Error& error) {
  if (left_-- <= 0 || !is_transient(error)) return false;
  return dynamic_cast<const HandshakeError*>(&error) == nullptr || handshakes_left_-- > 0;
}

void Backoff::wait(const Check& check) {
  thread_local std::mt19937 random{std::random_device{}()};
  const auto most = std::min(kLongestWait, kFirstWait * (1 << std::min(tried_++, 6)));
  // At least half of it: a server that asks to slow down is not helped by an instant retry.
  const std::chrono::milliseconds chosen{
      std::uniform_int_distribution<int64_t>{most.count() / 2, most.count()}(random)};
  const auto until = std::chrono::steady_clock::now() + chosen;
  for (auto now = std::chrono::steady_clock::now(); now < until;
       now = std::chrono::steady_clock::now()) {
    check();
    std::this_thread::sleep_for(
        std::min(kAskAgain, std::chrono::ceil<std::chrono::milliseconds>(until - now)));
  }
  check();
}

/// A transfer handle, given back with its connections when it goes.
class Client::Lease {
 public:
  explicit Lease(Client& client) : client_{client} {
    {
      const std::scoped_lock lock{client_.mutex_};
      if (!client_.idle_.empty()) {
        handle_ = std::move(client_.idle_.back());
        client_.idle_.pop_back();
      }
    }
    if (!handle_) handle_ = std::make_unique<CurlHandle>();
    handle_->reset();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    // The callbacks speak of a stack frame that is gone soon.
    handle_->on_body(nullptr);
    handle_->on_header(nullptr);
    const std::scoped_lock lock{client_.mutex_};
    try {
      client_.idle_.push_back(std::move(handle_));
    } catch (const std::bad_alloc&) {  // its connections are closed, no more
    }
  }
  CurlHandle& operator*() const noexcept { return *handle_; }

 private:
  Client& client_;
  std::unique_ptr<CurlHandle> handle_;
};

Response Client::send_once(const Request& request, const std::string& what, const Check& check) {
  check();
  Signable signable{.method = request.method,
                    .path = settings_.base_path + "/" + percent_encoded_path(request.key),
                    .query = request.query,
                    .headers = request.headers,
                    .payload_hash = hex(request.body_sha256.empty() ? sha256(request.body)
                                                                    : request.body_sha256)};
  // "/bucket/" and "/bucket" name the same, but some servers know the latter alone.
  if (request.key.empty() && !settings_.base_path.empty()) signable.path.pop_back();
  signable.headers.emplace_back("host", settings_.host);
  signable.headers.emplace_back("x-amz-content-sha256", signable.payload_hash);
  signable.headers.emplace_back("x-amz-date", amz_date(std::chrono::system_clock::now()));
  if (!settings_.credentials.session_token.empty()) {
    signable.headers.emplace_back("x-amz-security-token", settings_.credentials.session_token);
  }
  std::vector<std::string> lines{"Expect:", "Content-Type:"};
  for (const auto& [name, value] : signable.headers) lines.push_back(name + ": " + value);
  lines.push_back("authorization: " +
                  authorization(signable, settings_.credentials, settings_.region));

  Response response;
  {
    const Lease lease{*this};
    CurlHandle& curl = *lease;
    std::string url = settings_.scheme + "://" + settings_.host + signable.path;
    if (!request.query.empty()) url += "?" + canonical_query(request.query);
    curl.protocols("http,https");
    curl.url(url);
    curl.set(CURLOPT_PATH_AS_IS, 1L);
    curl.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl.trust(settings_.ca_file);
    curl.stall(request.stall);
    if (request.fresh) curl.set(CURLOPT_FRESH_CONNECT, 1L);
    curl.headers(lines);
    if (request.method == "HEAD") {
      curl.set(CURLOPT_NOBODY, 1L);
    } else {
      if (request.method == "PUT" || request.method == "POST") {
        // Sent from where it lies, and again from there when a kept connection turns out dead.
        curl.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        curl.set(CURLOPT_POSTFIELDS,
                 request.body.empty() ? "" : reinterpret_cast<const char*>(request.body.data()));
      }
      curl.set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
    curl.on_header([&](std::string_view line) { take_header(response, line); });
    bool begun = false;
    curl.on_body([&](std::span<const std::byte> block) {
      if (request.take && response.status >= 200 && response.status < 300) {
        if (!std::exchange(begun, true) && request.begin) request.begin(response);
        request.take(block);
        return;
      }
      if (response.body.size() + block.size() > kMostBody) {
        throw Error{ErrorCode::Aborted, what + ": the answer is too long"};
      }
      response.body.append(reinterpret_cast<const char*>(block.data()), block.size());
    });
    const CURLcode code = curl.try_perform(check);
    if (code == CURLE_SSL_CONNECT_ERROR) throw HandshakeError{curl.error(what, code)};
    if (code != CURLE_OK) throw curl.error(what, code);
  }
  const bool success = response.status >= 200 && response.status < 300;
  if (!success && !request.accept.contains(response.status)) {
    throw service_error(settings_, what, response);
  }
  return response;
}

Response Client::send(const Request& request, const std::string& what, const Check& check,
                      bool* retried) {
  for (Backoff backoff{request.attempts};;) {
    try {
      return send_once(request, what, check);
    } catch (const ServiceError& error) {
      // 5xx: the work may be done all the same.
      if (retried != nullptr && error.status() >= 500) *retried = true;
      backoff.wait_or_throw(error, check);
    } catch (const HandshakeError& error) {  // nothing has reached the server
      backoff.wait_or_throw(error, check);
    } catch (const Error& error) {
      if (retried != nullptr) *retried = true;
      backoff.wait_or_throw(error, check);
    }
  }
}

Response Client::send_body(Request request, const std::string& what, const Check& check) {
  const auto add_md5 = [&] {
    request.headers.emplace_back("content-md5", base64(md5(request.body)));
  };
  bool has_checksum = true;
  if (settings_.checksum == Checksum::Sha256) {
    request.headers.emplace_back("x-amz-checksum-sha256", base64(request.body_sha256));
  } else if (settings_.checksum == Checksum::Md5 || sends_md5_) {
    add_md5();
  } else {
    has_checksum = false;
  }
  try {
    return send(request, what, check);
  } catch (const ServiceError& error) {
    if (has_checksum || !insists_on_checksum(error)) throw;
  }
  // Not sent at once to all: MD5 takes more than twice as long as the SHA-256 of a signature.
  add_md5();
  Response response = send(request, what, check);
  sends_md5_ = true;
  return response;
}

}  // namespace dbackup::plugins::s3
