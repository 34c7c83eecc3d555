#include "curl_handle.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <new>
#include <utility>

#include "url_guard.hpp"

namespace dbackup::plugins {
namespace {

constexpr long kConnectTimeoutMs = 10'000;
constexpr std::chrono::milliseconds kStall{60'000};
constexpr int kAskAgainMs = 100;
// A block that a fast network fills with few system calls and the second-level cache still holds.
constexpr long kTransferBufferBytes = 512 * 1024;

void start_curl_once() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) throw Error{ErrorCode::Internal, "cannot start the transfer library"};
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text,
                             [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7F; });
}

ErrorCode code_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:  // only the connection has a limit
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_FTP_CANT_GET_HOST:
    case CURLE_FTP_ACCEPT_TIMEOUT:
    case CURLE_FTP_ACCEPT_FAILED:
      return ErrorCode::Unavailable;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
      return ErrorCode::FailedPrecondition;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_SSL_CACERT_BADFILE:
      return ErrorCode::InvalidArgument;
    case CURLE_LOGIN_DENIED:
      return ErrorCode::Unauthenticated;
    case CURLE_REMOTE_ACCESS_DENIED:
      return ErrorCode::PermissionDenied;
    case CURLE_REMOTE_FILE_NOT_FOUND:
      return ErrorCode::NotFound;
    case CURLE_REMOTE_FILE_EXISTS:
      return ErrorCode::AlreadyExists;
    case CURLE_REMOTE_DISK_FULL:
    case CURLE_OUT_OF_MEMORY:
      return ErrorCode::ResourceExhausted;
    default:
      return ErrorCode::Aborted;
  }
}

}  // namespace

Error curl_error(const std::string& what, CURLcode code, const char* words) {
  const std::string reason = *words != '\0' ? words : curl_easy_strerror(code);
  return Error{code_of(code), what + ": " + reason};
}

CurlHandle::CurlHandle() {
  start_curl_once();
  multi_.reset(curl_multi_init());
  easy_.reset(curl_easy_init());
  if (!multi_ || !easy_) throw std::bad_alloc{};
  reset();
}

CurlHandle::~CurlHandle() = default;

void CurlHandle::reset() {
  curl_easy_reset(easy_.get());
  headers_.reset();
  take_ = nullptr;
  give_ = nullptr;
  line_ = nullptr;
  stall_ = kStall;
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, "DBackup");
  set(CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_BUFFERSIZE, kTransferBufferBytes);
  set(CURLOPT_UPLOAD_BUFFERSIZE, kTransferBufferBytes);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_ERRORBUFFER, words_.data());
  set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  // Without these, libcurl would write what nobody takes to the standard output.
  set(CURLOPT_WRITEFUNCTION, &body_callback);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &header_callback);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
}

void CurlHandle::check_option(CURLoption option, CURLcode code) {
  if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc{};
  if (code != CURLE_OK) {
    throw Error{ErrorCode::Internal,
                "the transfer library refused option " + std::to_string(option)};
  }
}

void CurlHandle::headers(const std::vector<std::string>& lines) {
  headers_.reset();
  for (const std::string& line : lines) {
    if (has_control(line)) throw Error{ErrorCode::InvalidArgument, "a header is not valid"};
    curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc{};
    (void)headers_.release();
    headers_.reset(longer);
  }
  set(CURLOPT_HTTPHEADER, headers_.get());
}

void CurlHandle::trust(const std::string& ca_file) {
  if (ca_file.empty()) return;
  set(CURLOPT_CAINFO, ca_file.c_str());
  set(CURLOPT_CAPATH, nullptr);
}

void CurlHandle::on_body(Take take) { take_ = std::move(take); }

void CurlHandle::on_read(Give give) {
  give_ = std::move(give);
  set(CURLOPT_READFUNCTION, &read_callback);
  set(CURLOPT_READDATA, static_cast<void*>(this));
}

void CurlHandle::on_header(std::function<void(std::string_view)> line) { line_ = std::move(line); }

size_t CurlHandle::body_callback(char* data, size_t, size_t size, void* self) noexcept {
  auto& me = *static_cast<CurlHandle*>(self);
  try {
    if (me.take_) me.take_(std::as_bytes(std::span{data, size}));
    return size;
  } catch (...) {
    me.thrown_ = std::current_exception();
    return size + 1;  // anything but `size` ends the transfer
  }
}

size_t CurlHandle::read_callback(char* data, size_t, size_t size, void* self) noexcept {
  auto& me = *static_cast<CurlHandle*>(self);
  try {
    return me.give_ ? me.give_(std::as_writable_bytes(std::span{data, size})) : 0;
  } catch (...) {
    me.thrown_ = std::current_exception();
    return CURL_READFUNC_ABORT;
  }
}

size_t CurlHandle::header_callback(char* data, size_t, size_t size, void* self) noexcept {
  auto& me = *static_cast<CurlHandle*>(self);
  try {
    if (me.line_) me.line_({data, size});
    return size;
  } catch (...) {
    me.thrown_ = std::current_exception();
    return size + 1;
  }
}

/// The last moment before a connection, and after every kind of name resolution.
curl_socket_t CurlHandle::open_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept {
  if (is_refused_address(&address->addr)) {
    static_cast<CurlHandle*>(self)->refused_ = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

curl_off_t CurlHandle::moved() const {
  curl_off_t down = 0;
  curl_off_t up = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_SIZE_DOWNLOAD_T, &down);
  curl_easy_getinfo(easy_.get(), CURLINFO_SIZE_UPLOAD_T, &up);
  return down + up;
}

CURLcode CurlHandle::try_perform(const Check& check) {
  using Clock = std::chrono::steady_clock;
  thrown_ = nullptr;
  refused_ = false;
  words_.front() = '\0';
  if (curl_multi_add_handle(multi_.get(), easy_.get()) != CURLM_OK) {
    throw Error{ErrorCode::Internal, "cannot start a transfer"};
  }
  // Taking the handle out ends a transfer that is under way, and its connection with it.
  struct Detach {
    CURLM* multi;
    CURL* easy;
    ~Detach() { curl_multi_remove_handle(multi, easy); }
  } const detach{multi_.get(), easy_.get()};
  curl_off_t seen = 0;
  Clock::duration still{};
  for (int running = 1; running > 0;) {
    check();
    if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) {
      throw Error{ErrorCode::Internal, "the transfer library failed"};
    }
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
    if (running == 0) break;
    const auto before = Clock::now();
    if (curl_multi_poll(multi_.get(), nullptr, 0, kAskAgainMs, nullptr) != CURLM_OK) {
      throw Error{ErrorCode::Internal, "the transfer library failed"};
    }
    still += Clock::now() - before;
    if (const curl_off_t now = moved(); now != seen) {
      seen = now;
      still = {};
    }
    if (still > stall_) {
      throw Error{ErrorCode::DeadlineExceeded,
                  "nothing came or went for " +
                      std::to_string(std::chrono::ceil<std::chrono::seconds>(stall_).count()) +
                      " s"};
    }
  }
  int left = 0;
  const CURLMsg* message = curl_multi_info_read(multi_.get(), &left);
  return message != nullptr ? message->data.result : CURLE_FAILED_INIT;
}

void CurlHandle::perform(const std::string& what, const Check& check) {
  const CURLcode code = try_perform(check);
  if (code != CURLE_OK) throw error(what, code);
}

Error CurlHandle::error(const std::string& what, CURLcode code) const {
  if (refused_) {
    return Error{ErrorCode::PermissionDenied,
                 what + ": connections to metadata services are refused"};
  }
  return curl_error(what, code, words_.data());
}

long CurlHandle::status() const {
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  return status;
}

}  // namespace dbackup::plugins
