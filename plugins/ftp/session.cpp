#include "session.hpp"

#include <algorithm>
#include <common/percent_encoding.hpp>

namespace dbackup::ftp {
namespace {

constexpr std::chrono::milliseconds kReplyLimit{60'000};
// Storage behind the server may need minutes to take what it has been given.
constexpr std::chrono::minutes kFinalReplyLimit{10};
constexpr const char* kUtf8 = "OPTS UTF8 ON";

CommandList list_of(const std::vector<std::string>& lines) {
  CommandList out;
  for (const std::string& line : lines) {
    curl_slist* longer = curl_slist_append(out.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc{};
    (void)out.release();
    out.reset(longer);
  }
  return out;
}

bool is_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c < 0x80; });
}

/// Does the server say that a folder is empty, and not that it may not be listed?
bool says_empty(const FtpReply& reply) {
  if (reply.code != 450 && reply.code != 550) return false;
  std::string words = reply.text;
  std::ranges::transform(words, words.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return words.find("no such file") != std::string::npos ||
         words.find("no files") != std::string::npos ||
         words.find("not found") != std::string::npos;
}

/// Ends a download that has all it wanted.
struct Enough {};

}  // namespace

std::string Login::server() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return name + ":" + std::to_string(port);
}

Session::Session(const Call& call, const Login& login, Link& link)
    : call_{call}, login_{login}, link_{link}, curl_{link.curl}, patience_{call} {
  if (link_.known) return;
  run({});
  const char* home = nullptr;
  curl_easy_getinfo(curl_.get(), CURLINFO_FTP_ENTRY_PATH, &home);
  if (home != nullptr && *home == '/') link_.home = home;
  learn_features();
  link_.known = true;
}

void Session::learn_features() {
  const FtpReply features = command("FEAT");
  if (features.ok()) {
    std::string text = features.text;
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    // MLST stands for both (RFC 3659, section 7.8); some servers name MLSD as well.
    link_.lists_facts =
        text.find("\n MLST") != std::string::npos || text.find("\n MLSD") != std::string::npos;
    link_.asks_utf8 = text.find("\n UTF8") != std::string::npos;
    if (link_.asks_utf8) command(kUtf8);
  }
  if (link_.lists_facts) return;
  const FtpReply system = command("SYST");
  link_.is_unix = system.code != 215 || system.text.find("Windows") == std::string::npos;
}

void Session::prepare(const std::string& path) {
  curl_.reset();
  curl_.protocols("ftp,ftps");
  const std::string scheme = login_.tls == Tls::Implicit ? "ftps://" : "ftp://";
  curl_.url(scheme + login_.server() + "/" + plugins::percent_encoded_path(path));
  curl_.set(CURLOPT_USERNAME, login_.username.c_str());
  curl_.set(CURLOPT_PASSWORD, login_.password.c_str());
  // For the data connections too: with implicit TLS libcurl would otherwise put up with a refusal.
  if (login_.tls != Tls::None) {
    curl_.set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  }
  if (!login_.tls_verify) {
    curl_.set(CURLOPT_SSL_VERIFYPEER, 0L);
    curl_.set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  curl_.trust(login_.ca_file);
  curl_.set(CURLOPT_FTP_FILEMETHOD, static_cast<long>(CURLFTPMETHOD_NOCWD));
  curl_.set(CURLOPT_SERVER_RESPONSE_TIMEOUT, static_cast<long>(kReplyLimit.count() / 1000));
  reply_ = {};
  unfinished_.clear();
  curl_.on_header([this](std::string_view line) { take_line(line); });
}

/// Some servers forget with each connection in what alphabet names are, and libcurl makes new ones
/// as it sees fit.
void Session::use_utf8() {
  if (!link_.asks_utf8) return;
  utf8_ = list_of({std::string{"*"} + kUtf8});
  curl_.set(CURLOPT_QUOTE, utf8_.get());
}

/// Replies have one line "250 text", or "250-text", any lines, and "250 text" (RFC 959).
void Session::take_line(std::string_view line) {
  constexpr size_t kMost = 64 * 1024;
  if (unfinished_.size() < kMost) {
    std::string_view text = line;
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    unfinished_.append(text).append("\n");
  }
  const bool whole = line.size() >= 4 && is_digits(line.substr(0, 3)) && line[3] != '-';
  if (!whole) return;
  reply_.code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  reply_.text = std::move(unfinished_);
  unfinished_.clear();
}

FtpReply Session::run(const std::vector<std::string>& commands) {
  for (const std::string& command : commands) {
    // One line is one command: a name must not smuggle in another.
    if (command.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos) {
      throw Error{ErrorCode::InvalidArgument, "a name with a line break cannot be used over FTP"};
    }
  }
  prepare("");
  if (!std::ranges::all_of(commands, is_ascii)) use_utf8();
  curl_.set(CURLOPT_NOBODY, 1L);
  std::vector<std::string> lines = commands;
  // Its refusal is an answer like any other: libcurl would close the connection over it.
  if (!lines.empty()) lines.back().insert(0, "*");
  const CommandList quoted = list_of(lines);
  // After what libcurl itself sends to make a used connection ready: the last reply is to ours.
  curl_.set(CURLOPT_PREQUOTE, quoted.get());
  const CURLcode code = curl_.try_perform([this] { patience_.check(); });
  if (code != CURLE_OK && code != CURLE_QUOTE_ERROR) {
    throw failure("cannot use " + login_.server(), code);
  }
  return reply_;
}

FtpReply Session::command(const std::string& line) { return run({line}); }

FtpReply Session::size(const std::string& path) { return run({"TYPE I", "SIZE " + path}); }

FtpReply Session::rename(const std::string& from, const std::string& to) {
  return run({"RNFR " + from, "RNTO " + to});
}

Error Session::refusal(const std::string& what, const FtpReply& reply) {
  std::string words = reply.text.substr(0, reply.text.find('\n'));
  constexpr size_t kMost = 300;
  if (words.size() > kMost) words.resize(kMost);
  ErrorCode code = ErrorCode::FailedPrecondition;
  switch (reply.code) {
    case 0:
    case 421:  // the service is going down
    case 425:  // no data connection
    case 426:  // the data connection broke
    case 450:  // busy
    case 451:
      code = ErrorCode::Unavailable;
      break;
    case 452:
    case 552:
      code = ErrorCode::ResourceExhausted;
      break;
    case 530:
    case 532:
      code = ErrorCode::Unauthenticated;
      break;
    case 550:
    case 553:
      code = words.find("enied") != std::string::npos || words.find("ermi") != std::string::npos
                 ? ErrorCode::PermissionDenied
                 : ErrorCode::NotFound;
      break;
    case 500:
    case 502:
    case 504:
      code = ErrorCode::Unimplemented;
      break;
    default:
      break;
  }
  return Error{code, what + ": " + (words.empty() ? "the server ended the connection" : words)};
}

Error Session::failure(const std::string& what, CURLcode code) const {
  switch (code) {
    case CURLE_LOGIN_DENIED:
      return Error{ErrorCode::Unauthenticated,
                   login_.server() + " refuses the login of \"" + login_.username + "\"",
                   reply_.text};
    case CURLE_UPLOAD_FAILED:
    case CURLE_REMOTE_DISK_FULL:
    case CURLE_FTP_COULDNT_RETR_FILE:
    case CURLE_FTP_COULDNT_USE_REST:
    case CURLE_REMOTE_ACCESS_DENIED:
    case CURLE_REMOTE_FILE_NOT_FOUND:
      if (reply_.code >= 400) return refusal(what, reply_);
      break;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_FTP_WEIRD_PASV_REPLY:
    case CURLE_FTP_WEIRD_227_FORMAT:
    case CURLE_FTP_PORT_FAILED:
    case CURLE_PARTIAL_FILE:
      // A transfer that ended without the server's consent: it says why, or went away.
      if (reply_.code >= 400) return refusal(what, reply_);
      return Error{ErrorCode::Unavailable, what + ": the server ended the connection"};
    default:
      break;
  }
  return curl_.error(what, code);
}

bool Session::list(const std::string& folder, const std::function<void(std::string_view)>& line) {
  const auto attempt = [&](const char* verb) {
    prepare(folder.ends_with('/') ? folder : folder + "/");
    use_utf8();
    // The folder is entered first: names with blanks, "*" or "-" mean something else to LIST.
    curl_.set(CURLOPT_FTP_FILEMETHOD, static_cast<long>(CURLFTPMETHOD_SINGLECWD));
    curl_.set(CURLOPT_CUSTOMREQUEST, verb);
    std::string rest;
    curl_.on_body([&](std::span<const std::byte> block) {
      call_.check_cancelled();
      constexpr size_t kLongestLine = 16 * 1024;
      rest.append(reinterpret_cast<const char*>(block.data()), block.size());
      size_t begin = 0;
      for (size_t end; (end = rest.find('\n', begin)) != std::string::npos; begin = end + 1) {
        line(std::string_view{rest}.substr(begin, end - begin));
      }
      rest.erase(0, begin);
      if (rest.size() > kLongestLine) {
        throw Error{ErrorCode::DataLoss, login_.server() + " lists a line without an end"};
      }
    });
    const CURLcode code = curl_.try_perform([this] { call_.check_cancelled(); });
    if (code == CURLE_OK && !rest.empty()) line(rest);
    return code;
  };
  const std::string what = "cannot list \"" + folder + "\"";
  CURLcode code = attempt(link_.lists_facts ? "MLSD" : link_.is_unix ? "LIST -a" : "LIST");
  if (!link_.lists_facts && link_.is_unix && code == CURLE_FTP_COULDNT_RETR_FILE &&
      reply_.code >= 500) {
    code = attempt("LIST");  // a server that takes "-a" for a name
  }
  // libcurl lets a 450 pass.
  if (code == CURLE_OK && reply_.code < 400) return true;
  // An empty folder is "no such file" to some servers. To MLSD nobody answers that.
  if (!link_.lists_facts && (code == CURLE_OK || code == CURLE_FTP_COULDNT_RETR_FILE) &&
      says_empty(reply_)) {
    return true;
  }
  if (code == CURLE_OK) throw refusal(what, reply_);
  const Error error = failure(what, code);
  if (code == CURLE_REMOTE_ACCESS_DENIED && error.code() == ErrorCode::NotFound) return false;
  throw error;
}

uint64_t Session::store(const std::string& path, Reader& in, const std::string& shown) {
  prepare(path);
  if (!is_ascii(path)) use_utf8();
  uint64_t sent = 0;
  // Servers want each data connection to resume the TLS session of the one before, and while it
  // only sends libcurl learns no new ticket for that: the next transfer would be refused.
  if (login_.tls != Tls::None) curl_.set(CURLOPT_FORBID_REUSE, 1L);
  curl_.set(CURLOPT_UPLOAD, 1L);
  curl_.on_read([&](std::span<std::byte> buffer) {
    call_.check_cancelled();
    const size_t n = in.read(buffer);
    sent += n;
    call_.progress(sent, 0);
    if (n == 0) curl_.stall(kFinalReplyLimit);
    return n;
  });
  const CURLcode code = curl_.try_perform([this] { call_.check_cancelled(); });
  if (code != CURLE_OK) throw failure("cannot write \"" + shown + "\"", code);
  return sent;
}

uint64_t Session::retrieve(const std::string& path, const plugins::RemotePart& part, Writer& out,
                           const std::string& shown) {
  prepare(path);
  if (!is_ascii(path)) use_utf8();
  uint64_t got = 0;
  const auto [offset, length, size] = part;
  const bool to_the_end = offset + length == size;
  if (offset > 0) curl_.set(CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(offset));
  curl_.on_body([&, length = length](std::span<const std::byte> block) {
    call_.check_cancelled();
    const auto wanted =
        block.first(static_cast<size_t>(std::min<uint64_t>(block.size(), length - got)));
    out.write(wanted);
    got += wanted.size();
    call_.progress(got, length);
    if (got == length && !to_the_end) throw Enough{};
  });
  try {
    const CURLcode code = curl_.try_perform([this] { call_.check_cancelled(); });
    if (code != CURLE_OK) throw failure("cannot read \"" + shown + "\"", code);
  } catch (const Enough&) {  // the connection is closed in the middle of the file, and made anew
  }
  return got;
}

}  // namespace dbackup::ftp
