#pragma once

#include <common/curl_handle.hpp>
#include <common/patience.hpp>
#include <common/remote_storage.hpp>

namespace dbackup::webdav {

struct Login {
  std::string url;  ///< without a slash at the end
  std::string username;
  std::string password;
  bool tls_verify = true;
  std::string ca_file;
};

/// What outlives an operation: the connection, and how the server wants to be told the password.
struct Link {
  plugins::CurlHandle curl;
  unsigned long auth = 0;  ///< CURLAUTH_…; 0: not known yet
};

struct Answer {
  long status = 0;
  std::string body;      ///< of an error, at most 64 KiB; of a listing whole
  std::string location;  ///< where a redirect points

  bool ok() const noexcept { return status >= 200 && status < 300; }
};

/// Requests to one WebDAV server, by libcurl. Paths are those of URLs, encoded. Redirects are never
/// followed: the password goes to the server that was configured and to no other. Not for several
/// threads.
class Session {
 public:
  Session(const Call& call, const Login& login, Link& link);

  const Call& call() const noexcept { return call_; }

  /// A request with a small body or none. Throws only when no answer came. After a cancellation it
  /// still works for 300 ms.
  Answer request(const std::string& method, const std::string& url,
                 const std::vector<std::string>& headers = {}, const std::string& body = "");
  /// PUT in chunks, as the length is not known; the number of bytes sent.
  Answer put(const std::string& url, Reader& in, uint64_t& sent);
  /// GET of a part of a resource; the number of bytes given to `out`. A server that does not know
  /// ranges sends everything: what was not asked for is dropped.
  uint64_t get(const std::string& url, const plugins::RemotePart& part, Writer& out,
               const std::string& what);

  /// The error for an answer that is no success: "<what>: <reason>".
  Error refusal(const std::string& what, const Answer& answer) const;

 private:
  void prepare(const std::string& method, const std::string& url,
               const std::vector<std::string>& headers, Answer& answer);
  void note_auth();
  [[noreturn]] void fail(const std::string& what, CURLcode code) const;

  const Call call_;
  const Login& login_;
  Link& link_;
  plugins::CurlHandle& curl_;
  plugins::Patience patience_;
  bool asked_for_digest_ = false;
};

}  // namespace dbackup::webdav
