#include "http_client.hpp"

#include <curl/curl.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <ctime>
#include <memory>
#include <string_view>

#include "curl_run.hpp"
#include "url_guard.hpp"

namespace dbackup::plugins {
namespace {

constexpr size_t kMostBody = 64 * 1024;
constexpr size_t kMostShown = 300;
constexpr long kConnectTimeoutMs = 10'000;

template <auto Free>
struct Deleter {
  void operator()(auto* what) const noexcept { Free(what); }
};
using Easy = std::unique_ptr<CURL, Deleter<&curl_easy_cleanup>>;
using Headers = std::unique_ptr<curl_slist, Deleter<&curl_slist_free_all>>;

/// What the callbacks of one exchange write to.
struct Exchange {
  HttpResponse response;
  bool enough = false;   // the body is longer than anyone reads
  bool refused = false;  // an address was not dialled
};

void start_curl_once() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) throw Error{ErrorCode::Internal, "cannot start the HTTP library"};
}

size_t take_body(char* data, size_t, size_t size, void* to) noexcept {
  auto& exchange = *static_cast<Exchange*>(to);
  std::string& body = exchange.response.body;
  body.append(data, std::min(size, kMostBody - body.size()));
  exchange.enough = body.size() == kMostBody;
  return exchange.enough ? 0 : size;  // 0 ends the transfer
}

/// Seconds, or a date; none for anything else. Noexcept: the text is short.
std::optional<std::chrono::seconds> waiting_time(std::string_view value) noexcept {
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && static_cast<unsigned char>(value.back()) <= ' ') value.remove_suffix(1);
  int64_t seconds = 0;
  const auto [end, status] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  constexpr int64_t kLongest = 366LL * 86'400;
  if (status == std::errc{} && end == value.data() + value.size()) {
    return std::chrono::seconds{std::clamp<int64_t>(seconds, 0, kLongest)};
  }
  const time_t date = curl_getdate(std::string{value}.c_str(), nullptr);
  if (date < 0) return std::nullopt;
  return std::chrono::seconds{std::clamp<int64_t>(date - ::time(nullptr), 0, kLongest)};
}

size_t take_header(char* data, size_t, size_t size, void* to) noexcept {
  const std::string_view line{data, size};
  constexpr std::string_view kRetryAfter = "retry-after:";
  auto& response = static_cast<Exchange*>(to)->response;
  if (size > kRetryAfter.size() &&
      ::strncasecmp(data, kRetryAfter.data(), kRetryAfter.size()) == 0) {
    response.retry_after = waiting_time(line.substr(kRetryAfter.size()));
  }
  if (line.starts_with("HTTP/")) {
    auto& reason = response.reason;
    const size_t first = line.find(' ');
    const size_t second = first == line.npos ? line.npos : line.find(' ', first + 1);
    reason = second == line.npos ? "" : std::string{line.substr(second + 1)};
    while (!reason.empty() && (reason.back() == '\r' || reason.back() == '\n')) reason.pop_back();
  }
  return size;
}

/// The last moment before a connection, and after every kind of name resolution.
curl_socket_t open_socket(void* to, curlsocktype, curl_sockaddr* address) noexcept {
  if (is_refused_address(&address->addr)) {
    static_cast<Exchange*>(to)->refused = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text,
                             [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7F; });
}

bool is_header_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) ||
           std::string_view{"!#$%&'*+-.^_`|~"}.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

Headers make_headers(const HttpRequest& request) {
  Headers list;
  const auto append = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc{};
    (void)list.release();
    list.reset(longer);
  };
  append("Expect:");  // a small body is sent at once
  for (const auto& [name, value] : request.headers) {
    if (!is_header_name(name) || has_control(value)) {
      throw Error{ErrorCode::InvalidArgument, "a header is not valid"};
    }
    append(value.empty() ? name + ";" : name + ": " + value);
  }
  return list;
}

template <class Value>
void set(const Easy& easy, CURLoption option, Value value) {
  if (curl_easy_setopt(easy.get(), option, value) != CURLE_OK) {
    throw Error{ErrorCode::Internal, "the HTTP library refused option " + std::to_string(option)};
  }
}

void prepare(const Easy& easy, const HttpRequest& request, const Headers& headers,
             Exchange& exchange) {
  set(easy, CURLOPT_URL, request.url.c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_PROXY, "");
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_USERAGENT, "DBackup");
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  set(easy, CURLOPT_HTTPHEADER, headers.get());
  set(easy, CURLOPT_WRITEFUNCTION, &take_body);
  set(easy, CURLOPT_WRITEDATA, &exchange);
  set(easy, CURLOPT_HEADERFUNCTION, &take_header);
  set(easy, CURLOPT_HEADERDATA, &exchange);
  set(easy, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  set(easy, CURLOPT_OPENSOCKETDATA, &exchange);
  if (request.method == "HEAD") {
    set(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  if (request.body) {
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
    set(easy, CURLOPT_POSTFIELDS, request.body->c_str());
  }
  set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

[[noreturn]] void fail(CURLcode code, const Exchange& exchange, const char* words) {
  if (exchange.refused) {
    throw Error{ErrorCode::PermissionDenied, "requests to metadata services are refused"};
  }
  const std::string reason = *words != '\0' ? words : curl_easy_strerror(code);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
      throw NotConnected{ErrorCode::Unavailable, "no answer: " + reason};
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      throw Error{ErrorCode::Unavailable, "no answer: " + reason};
    case CURLE_OPERATION_TIMEDOUT:
      throw Error{ErrorCode::DeadlineExceeded, "no answer in time: " + reason};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
      throw Error{ErrorCode::FailedPrecondition, "no trusted connection: " + reason};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      throw Error{ErrorCode::InvalidArgument, "the URL is not valid"};
    default:
      throw Error{ErrorCode::Aborted, "the request failed: " + reason};
  }
}

/// Cut at a whole character, on one line.
std::string shortened(std::string text) {
  if (text.size() > kMostShown) {
    size_t end = kMostShown;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
    text += "…";
  }
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

}  // namespace

HttpResponse send(const Call& call, const HttpRequest& request) {
  start_curl_once();
  check_url(request.url);
  const Easy easy{curl_easy_init()};
  if (!easy) throw std::bad_alloc{};
  const Headers headers = make_headers(request);
  Exchange exchange;
  std::array<char, CURL_ERROR_SIZE> words{};
  prepare(easy, request, headers, exchange);
  set(easy, CURLOPT_ERRORBUFFER, words.data());
  const CURLcode code = run_transfer(call, easy.get());
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && exchange.enough)) {
    fail(code, exchange, words.data());
  }
  return std::move(exchange.response);
}

Error refusal(const std::string& service, const HttpResponse& response,
              const std::vector<std::string>& secrets) {
  std::string words = response.body.empty() ? response.reason : response.body;
  for (const std::string& secret : secrets) {
    for (size_t at = 0; !secret.empty() && (at = words.find(secret, at)) != words.npos; at += 3) {
      words.replace(at, secret.size(), "***");
    }
  }
  ErrorCode code = ErrorCode::FailedPrecondition;
  if (response.status == 401) code = ErrorCode::Unauthenticated;
  if (response.status == 403) code = ErrorCode::PermissionDenied;
  if (response.status == 404 || response.status == 410) code = ErrorCode::NotFound;
  if (response.status == 408 || response.status == 429 || response.status >= 500)
    code = ErrorCode::Unavailable;
  std::string text = service + " returned " + std::to_string(response.status);
  if (!words.empty()) text += ": " + shortened(words);
  return Error{code, text};
}

std::vector<std::pair<std::string, std::string>> parse_header_lines(const std::string& lines) {
  constexpr std::string_view kBlanks = " \t\r";
  const auto trimmed = [&](std::string_view text) -> std::string_view {
    const size_t first = text.find_first_not_of(kBlanks);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
  };
  std::vector<std::pair<std::string, std::string>> headers;
  int number = 0;
  for (size_t start = 0; start < lines.size();) {
    const size_t end = std::min(lines.find('\n', start), lines.size());
    const std::string_view line = trimmed(std::string_view{lines}.substr(start, end - start));
    start = end + 1;
    ++number;
    if (line.empty()) continue;
    const size_t colon = line.find(':');
    if (colon == line.npos || !is_header_name(trimmed(line.substr(0, colon))) ||
        has_control(line)) {
      throw Error{
          ErrorCode::InvalidArgument,
          "line " + std::to_string(number) + " of the headers is not of the form \"Name: value\""};
    }
    headers.emplace_back(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }
  return headers;
}

}  // namespace dbackup::plugins
