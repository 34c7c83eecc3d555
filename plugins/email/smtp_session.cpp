// One message over libcurl's SMTP. What the server says is read along from the protocol's lines:
// curl itself reports a status without its words, and not whose it was.

#include "smtp_session.hpp"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <common/curl_run.hpp>
#include <common/url_guard.hpp>
#include <cstring>
#include <memory>
#include <string_view>

namespace dbackup::plugins::email {
namespace {

using Clock = std::chrono::steady_clock;

// The host gives 30 s.
constexpr long kTimeoutMs = 24'000;
constexpr long kConnectTimeoutMs = 10'000;
// A server that has taken the message need not be waited for to say goodbye.
constexpr std::chrono::seconds kGoodbye{1};

template <auto Free>
struct Deleter {
  void operator()(auto* what) const noexcept { Free(what); }
};
using Easy = std::unique_ptr<CURL, Deleter<&curl_easy_cleanup>>;
using Lines = std::unique_ptr<curl_slist, Deleter<&curl_slist_free_all>>;

struct Reply {
  int status = 0;
  std::string words;
};
struct Refusal {
  std::string receiver;
  Reply reply;
};

/// What has been said in a session.
struct Session {
  const Call* call = nullptr;
  std::string_view message;
  size_t sent = 0;
  bool wants_sign_in = false;

  std::string command;   // the last one, without what stands behind its verb
  std::string receiver;  // of the last RCPT
  std::string words;     // of a reply of several lines so far
  Reply last_refusal;
  std::vector<Refusal> refused_receivers;
  bool signed_in = false;
  bool data_begun = false;
  bool delivered = false;
  bool address_refused = false;
  Clock::time_point goodbye_at = Clock::time_point::max();

  void heard_command(std::string_view line);
  void heard_reply(std::string_view line);
};

std::string_view without_end(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  return line;
}

void Session::heard_command(std::string_view line) {
  line = without_end(line);
  const size_t blank = line.find(' ');
  // An AUTH exchange has lines that are secrets: only known verbs are kept.
  const std::string_view verb = line.substr(0, blank);
  constexpr std::array<std::string_view, 8> kVerbs{"EHLO", "HELO", "STARTTLS", "AUTH",
                                                   "MAIL", "RCPT", "DATA",     "QUIT"};
  if (std::ranges::find(kVerbs, verb) == kVerbs.end()) return;
  command = verb;
  if (verb == "RCPT") {
    const size_t open = line.find('<');
    const size_t close = line.find('>');
    receiver = open == line.npos || close == line.npos || close < open
                   ? ""
                   : std::string{line.substr(open + 1, close - open - 1)};
  }
  if (verb == "QUIT") goodbye_at = Clock::now() + kGoodbye;
}

void Session::heard_reply(std::string_view line) {
  line = without_end(line);
  const bool has_status = line.size() >= 3 && std::ranges::all_of(line.substr(0, 3), [](char c) {
                            return c >= '0' && c <= '9';
                          });
  if (!has_status) return;
  constexpr size_t kMostWords = 600;
  if (line.size() > 4 && words.size() < kMostWords)
    words += (words.empty() ? "" : " ") + std::string{line.substr(4)};
  if (line.size() > 3 && line[3] == '-') return;
  Reply reply{(line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'), std::move(words)};
  words.clear();
  if (reply.status == 235) signed_in = true;
  if (reply.status == 354) data_begun = true;
  if (command == "DATA" && data_begun && reply.status / 100 == 2) delivered = true;
  if (reply.status < 400) return;
  if (command == "RCPT") {
    refused_receivers.push_back({receiver, reply});
  } else if (command != "EHLO" && command != "QUIT") {
    last_refusal = std::move(reply);
  } else if (command == "EHLO" && reply.status / 100 == 4) {
    last_refusal = std::move(reply);  // a refused EHLO alone is followed by HELO
  }
}

int hear(CURL*, curl_infotype kind, char* data, size_t size, void* to) noexcept {
  auto& session = *static_cast<Session*>(to);
  try {
    if (kind == CURLINFO_HEADER_OUT) session.heard_command({data, size});
    if (kind == CURLINFO_HEADER_IN) session.heard_reply({data, size});
  } catch (...) {
    session.words.clear();  // out of memory: the words are lost, the session goes on
  }
  return 0;
}

size_t give(char* to, size_t, size_t size, void* from) noexcept {
  auto& session = *static_cast<Session*>(from);
  // curl goes on without a sign-in where the server offers none.
  if (session.wants_sign_in && !session.signed_in) return CURL_READFUNC_ABORT;
  const size_t n = std::min(size, session.message.size() - session.sent);
  std::memcpy(to, session.message.data() + session.sent, n);
  session.sent += n;
  return n;
}

/// Also asked while curl waits on its own for the end of a session.
int go_on(void* of, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
  const auto& session = *static_cast<const Session*>(of);
  return session.call->is_cancelled() || Clock::now() > session.goodbye_at ? 1 : 0;
}

curl_socket_t open_socket(void* to, curlsocktype, curl_sockaddr* address) noexcept {
  if (is_refused_address(&address->addr)) {
    static_cast<Session*>(to)->address_refused = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

template <class Value>
void set(const Easy& easy, CURLoption option, Value value) {
  if (curl_easy_setopt(easy.get(), option, value) != CURLE_OK) {
    throw Error{ErrorCode::Internal, "the SMTP library refused option " + std::to_string(option)};
  }
}

std::string url_of(const SmtpServer& server) {
  const bool is_ipv6 = server.host.find(':') != std::string::npos && server.host.front() != '[';
  return (server.security == Security::Ssl ? "smtps://" : "smtp://") +
         (is_ipv6 ? "[" + server.host + "]" : server.host) + ":" + std::to_string(server.port);
}

void secure(const Easy& easy, const SmtpServer& server) {
  set(easy, CURLOPT_USE_SSL,
      static_cast<long>(server.security == Security::StartTls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  set(easy, CURLOPT_SSL_VERIFYPEER, server.verify ? 1L : 0L);
  set(easy, CURLOPT_SSL_VERIFYHOST, server.verify ? 2L : 0L);
  set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!server.ca_certificate.empty()) {
    curl_blob blob{const_cast<char*>(server.ca_certificate.data()), server.ca_certificate.size(),
                   CURL_BLOB_COPY};
    set(easy, CURLOPT_CAINFO_BLOB, &blob);
    // The blob stands in for the library's file of authorities alone, not for their folder.
    set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
}

void prepare(const Easy& easy, const SmtpServer& server, Session& session) {
  set(easy, CURLOPT_URL, url_of(server).c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  set(easy, CURLOPT_PROXY, "");
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  set(easy, CURLOPT_TIMEOUT_MS, kTimeoutMs);
  set(easy, CURLOPT_FORBID_REUSE, 1L);
  set(easy, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  set(easy, CURLOPT_OPENSOCKETDATA, &session);
  set(easy, CURLOPT_VERBOSE, 1L);
  set(easy, CURLOPT_DEBUGFUNCTION, &hear);
  set(easy, CURLOPT_DEBUGDATA, &session);
  set(easy, CURLOPT_NOPROGRESS, 0L);
  set(easy, CURLOPT_XFERINFOFUNCTION, &go_on);
  set(easy, CURLOPT_XFERINFODATA, &session);
  set(easy, CURLOPT_UPLOAD, 1L);
  set(easy, CURLOPT_READFUNCTION, &give);
  set(easy, CURLOPT_READDATA, &session);
  set(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(session.message.size()));
  set(easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
  secure(easy, server);
  if (session.wants_sign_in) {
    set(easy, CURLOPT_USERNAME, server.user.c_str());
    set(easy, CURLOPT_PASSWORD, server.password.c_str());
  }
}

/// One line of a few hundred characters, without the login.
std::string shown(const Reply& reply, const SmtpServer& server) {
  constexpr size_t kMost = 300;
  std::string words;
  for (const char c : reply.words)
    words += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  for (size_t at = 0;
       server.password.size() > 3 && (at = words.find(server.password)) != words.npos;)
    words.replace(at, server.password.size(), "***");
  if (words.size() > kMost) words.resize(kMost);
  return std::to_string(reply.status) + (words.empty() ? "" : ": " + words);
}

ErrorCode code_of(const Reply& reply, const Session& session) {
  if (reply.status / 100 == 4) return ErrorCode::Unavailable;
  const bool is_sign_in = session.command == "AUTH" || reply.status == 530 || reply.status == 534 ||
                          reply.status == 535 || reply.status == 538;
  return is_sign_in ? ErrorCode::Unauthenticated : ErrorCode::FailedPrecondition;
}

void check_receivers(const Session& session, const SmtpServer& server, size_t receivers) {
  if (session.refused_receivers.empty()) return;
  std::string text = "SMTP server refused ";
  for (const Refusal& refusal : session.refused_receivers) {
    text += (&refusal == &session.refused_receivers.front() ? "\"" : ", \"") + refusal.receiver +
            "\" (" + shown(refusal.reply, server) + ")";
  }
  const size_t reached = receivers - std::min(receivers, session.refused_receivers.size());
  if (session.delivered) {
    text += "; the message was delivered to the other " + std::to_string(reached) + " of " +
            std::to_string(receivers);
  }
  throw Error{code_of(session.refused_receivers.front().reply, session), text};
}

[[noreturn]] void fail(CURLcode code, const Session& session, const SmtpServer& server,
                       const char* words) {
  if (session.call->is_cancelled()) throw Error{ErrorCode::Cancelled, "cancelled"};
  if (session.address_refused) {
    throw Error{ErrorCode::PermissionDenied, "connections to metadata services are refused"};
  }
  const std::string reason = *words != '\0' ? words : curl_easy_strerror(code);
  if (code == CURLE_USE_SSL_FAILED) {
    throw Error{ErrorCode::FailedPrecondition,
                "the SMTP server offers no STARTTLS, and nothing is sent without it: " + reason};
  }
  if (session.last_refusal.status != 0) {
    throw Error{code_of(session.last_refusal, session),
                "SMTP server returned " + shown(session.last_refusal, server)};
  }
  if (session.wants_sign_in && !session.signed_in && code == CURLE_ABORTED_BY_CALLBACK) {
    throw Error{ErrorCode::FailedPrecondition,
                "the SMTP server offers no sign-in, but \"user\" and \"password\" are given"};
  }
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      throw Error{ErrorCode::DeadlineExceeded, "no answer of the SMTP server in time: " + reason};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      throw Error{ErrorCode::FailedPrecondition,
                  "no trusted connection to the SMTP server: " + reason};
    case CURLE_LOGIN_DENIED:
      throw Error{ErrorCode::Unauthenticated,
                  "the SMTP server offers no sign-in that is known here"};
    case CURLE_URL_MALFORMAT:
      throw Error{ErrorCode::InvalidArgument, "\"host\" is not a name or address"};
    default:
      throw Error{ErrorCode::Unavailable, "no answer of the SMTP server: " + reason};
  }
}

}  // namespace

void send_mail(const Call& call, const SmtpServer& server, const std::string& from,
               const std::vector<std::string>& to, const std::string& message) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw Error{ErrorCode::Internal, "cannot start the SMTP library"};
  const Easy easy{curl_easy_init()};
  if (!easy) throw std::bad_alloc{};
  Lines receivers;
  for (const std::string& address : to) {
    curl_slist* longer = curl_slist_append(receivers.get(), ("<" + address + ">").c_str());
    if (longer == nullptr) throw std::bad_alloc{};
    (void)receivers.release();
    receivers.reset(longer);
  }
  Session session{.call = &call,
                  .message = message,
                  .wants_sign_in = !server.user.empty() && !server.password.empty()};
  std::array<char, CURL_ERROR_SIZE> words{};
  prepare(easy, server, session);
  set(easy, CURLOPT_ERRORBUFFER, words.data());
  set(easy, CURLOPT_MAIL_FROM, ("<" + from + ">").c_str());
  set(easy, CURLOPT_MAIL_RCPT, receivers.get());
  const CURLcode code = run_transfer(call, easy.get());
  if (!session.delivered && session.last_refusal.status == 0)
    check_receivers(session, server, to.size());
  if (!session.delivered) fail(code, session, server, words.data());
  check_receivers(session, server, to.size());
}

}  // namespace dbackup::plugins::email
