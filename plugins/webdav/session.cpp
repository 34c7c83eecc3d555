#include "session.hpp"

#include <strings.h>

#include <algorithm>

namespace dbackup::webdav {
namespace {

// Servers that put a file together, or copy it where it belongs, are silent while they do.
constexpr std::chrono::minutes kFinalAnswerLimit{10};
constexpr size_t kLargestError = size_t{64} * 1024;
// One folder is read as a whole; at 600 bytes each that is about 100,000 entries.
constexpr size_t kLargestListing = size_t{64} * 1024 * 1024;
constexpr unsigned long kEitherAuth = CURLAUTH_BASIC | CURLAUTH_DIGEST;

/// Ends a download that has all it wanted, and an answer whose body is not wanted.
struct Enough {};

std::string_view header_value(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':' ||
      ::strncasecmp(line.data(), name.data(), name.size()) != 0) {
    return {};
  }
  line.remove_prefix(name.size() + 1);
  while (line.starts_with(' ')) line.remove_prefix(1);
  while (line.ends_with('\n') || line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
  return line;
}

std::string host_of(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return "another path";
  return url.substr(0, url.find('/', scheme + 3));
}

}  // namespace

Session::Session(const Call& call, const Login& login, Link& link)
    : call_{call}, login_{login}, link_{link}, curl_{link.curl}, patience_{call} {}

void Session::prepare(const std::string& method, const std::string& url,
                      const std::vector<std::string>& headers, Answer& answer) {
  curl_.reset();
  curl_.protocols("http,https");
  curl_.url(url);
  curl_.set(CURLOPT_CUSTOMREQUEST, method.c_str());
  // One connection per transfer and "100 Continue" are what WebDAV servers are built for.
  curl_.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  if (!login_.username.empty()) {
    curl_.set(CURLOPT_USERNAME, login_.username.c_str());
    curl_.set(CURLOPT_PASSWORD, login_.password.c_str());
    curl_.set(CURLOPT_HTTPAUTH, link_.auth == 0 ? kEitherAuth : link_.auth);
  }
  if (!login_.tls_verify) {
    curl_.set(CURLOPT_SSL_VERIFYPEER, 0L);
    curl_.set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  curl_.trust(login_.ca_file);
  curl_.headers(headers);
  asked_for_digest_ = false;
  curl_.on_header([this, &answer](std::string_view line) {
    if (const auto value = header_value(line, "WWW-Authenticate"); !value.empty()) {
      asked_for_digest_ |= ::strncasecmp(value.data(), "Digest", 6) == 0;
    }
    if (const auto value = header_value(line, "Location"); !value.empty()) answer.location = value;
  });
}

/// A stream cannot be sent twice, so a put has to know beforehand how to log in.
void Session::note_auth() {
  if (link_.auth == 0) link_.auth = asked_for_digest_ ? CURLAUTH_DIGEST : CURLAUTH_BASIC;
}

void Session::fail(const std::string& what, CURLcode code) const { throw curl_.error(what, code); }

Answer Session::request(const std::string& method, const std::string& url,
                        const std::vector<std::string>& headers, const std::string& body) {
  Answer answer;
  prepare(method, url, headers, answer);
  if (!body.empty()) {
    curl_.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_.set(CURLOPT_POSTFIELDS, body.c_str());
  }
  curl_.on_body([&](std::span<const std::byte> block) {
    const bool listing = curl_.status() == 207;
    const size_t limit = listing ? kLargestListing : kLargestError;
    if (listing && answer.body.size() + block.size() > limit) {
      throw Error{ErrorCode::FailedPrecondition, "a folder has too many entries to be listed"};
    }
    const size_t kept = std::min(block.size(), limit - answer.body.size());
    answer.body.append(reinterpret_cast<const char*>(block.data()), kept);
  });
  if (method == "MOVE") curl_.stall(kFinalAnswerLimit);
  const CURLcode code = curl_.try_perform([this] { patience_.check(); });
  if (code != CURLE_OK) fail("cannot use \"" + login_.url + "\"", code);
  note_auth();
  answer.status = curl_.status();
  return answer;
}

Answer Session::put(const std::string& url, Reader& in, uint64_t& sent) {
  if (link_.auth == 0) request("OPTIONS", url);
  Answer answer;
  prepare("PUT", url,
          {"Expect: 100-continue", "Transfer-Encoding: chunked",
           "Content-Type: application/octet-stream"},
          answer);
  curl_.set(CURLOPT_UPLOAD, 1L);
  curl_.on_read([&](std::span<std::byte> buffer) {
    call_.check_cancelled();
    const size_t n = in.read(buffer);
    sent += n;
    call_.progress(sent, 0);
    if (n == 0) curl_.stall(kFinalAnswerLimit);
    return n;
  });
  curl_.on_body([&](std::span<const std::byte> block) {
    const size_t kept = std::min(block.size(), kLargestError - answer.body.size());
    answer.body.append(reinterpret_cast<const char*>(block.data()), kept);
  });
  const CURLcode code = curl_.try_perform([this] { call_.check_cancelled(); });
  answer.status = curl_.status();
  // A server that has refused may close the connection while bytes are still on their way.
  if (code != CURLE_OK && answer.status < 300) fail("cannot write to \"" + login_.url + "\"", code);
  return answer;
}

uint64_t Session::get(const std::string& url, const plugins::RemotePart& part, Writer& out,
                      const std::string& what) {
  const auto [offset, length, size] = part;
  Answer answer;
  prepare("GET", url, {}, answer);
  const bool ranged = offset > 0 || length < size;
  const std::string range = std::to_string(offset) + "-" + std::to_string(offset + length - 1);
  if (ranged) curl_.set(CURLOPT_RANGE, range.c_str());
  uint64_t skip = 0;
  uint64_t got = 0;
  bool begun = false;
  curl_.on_body(
      [&, offset = offset, length = length, size = size](std::span<const std::byte> block) {
        call_.check_cancelled();
        const long status = curl_.status();
        if (!std::exchange(begun, true) && status == 200) skip = offset;
        if (status != 200 && status != 206) {
          const size_t kept = std::min(block.size(), kLargestError - answer.body.size());
          answer.body.append(reinterpret_cast<const char*>(block.data()), kept);
          return;
        }
        const auto dropped = static_cast<size_t>(std::min<uint64_t>(skip, block.size()));
        skip -= dropped;
        block = block.subspan(dropped);
        block = block.first(static_cast<size_t>(std::min<uint64_t>(block.size(), length - got)));
        if (block.empty()) return;
        out.write(block);
        got += block.size();
        call_.progress(got, length);
        if (got == length && status == 200 && offset + length < size) throw Enough{};
      });
  try {
    const CURLcode code = curl_.try_perform([this] { call_.check_cancelled(); });
    if (code != CURLE_OK) fail(what, code);
  } catch (const Enough&) {  // the rest of the file would follow
    return got;
  }
  note_auth();
  answer.status = curl_.status();
  if (answer.status != 200 && answer.status != 206) throw refusal(what, answer);
  return got;
}

Error Session::refusal(const std::string& what, const Answer& answer) const {
  const std::string status = " (HTTP " + std::to_string(answer.status) + ")";
  const auto error = [&](ErrorCode code, const std::string& reason) {
    return Error{code, what + ": " + reason + status, answer.body};
  };
  switch (answer.status) {
    case 401:
      return error(ErrorCode::Unauthenticated,
                   login_.username.empty()
                       ? "the server wants a user name and a password"
                       : "the server refuses the login of \"" + login_.username + "\"");
    case 403:
      return error(ErrorCode::PermissionDenied, "the server denies it");
    case 404:
    case 409:
      return error(ErrorCode::NotFound, "no such file or folder");
    case 405:
    case 501:
      return error(ErrorCode::FailedPrecondition, "the server does not offer WebDAV there");
    case 411:
      return error(ErrorCode::FailedPrecondition,
                   "the server, or a proxy before it, does not take uploads whose length is not "
                   "known beforehand");
    case 412:
      return error(ErrorCode::AlreadyExists, "the name is taken");
    case 413:
      return error(ErrorCode::FailedPrecondition,
                   "the server, or a proxy before it, limits the size of an upload");
    case 423:
      return error(ErrorCode::FailedPrecondition, "somebody has locked it");
    case 507:
      return error(ErrorCode::ResourceExhausted, "the server has no room left");
    case 408:
    case 429:
      return error(ErrorCode::Unavailable, "the server is busy");
    default:
      break;
  }
  if (answer.status >= 300 && answer.status < 400) {
    return error(ErrorCode::FailedPrecondition,
                 "the server redirects to " + host_of(answer.location) +
                     ", which is not followed: put the final address into \"url\"");
  }
  if (answer.status >= 500) return error(ErrorCode::Unavailable, "the server failed");
  return error(ErrorCode::FailedPrecondition, "the server refuses it");
}

}  // namespace dbackup::webdav
