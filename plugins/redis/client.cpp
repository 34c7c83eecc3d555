#include "client.hpp"

#include <algorithm>
#include <charconv>

namespace dbackup::redis {
namespace {

constexpr size_t kSendAt = 256 * 1024;
constexpr size_t kReadBlock = 64 * 1024;
constexpr size_t kLongestLine = 64 * 1024;
constexpr size_t kLargestReply = 64 * 1024 * 1024;  // all its texts together
constexpr size_t kReplyCost = 64;                   // what an item of an array counts for
constexpr int kDeepest = 8;

struct CodeRow {
  std::string_view word;
  ErrorCode code;
};
constexpr std::array kCodes{
    CodeRow{"NOAUTH", ErrorCode::Unauthenticated},
    CodeRow{"WRONGPASS", ErrorCode::Unauthenticated},
    CodeRow{"ERR invalid password", ErrorCode::Unauthenticated},
    CodeRow{"ERR Client sent AUTH", ErrorCode::Unauthenticated},
    CodeRow{"ERR AUTH", ErrorCode::Unauthenticated},
    CodeRow{"NOPERM", ErrorCode::PermissionDenied},
    CodeRow{"DENIED", ErrorCode::PermissionDenied},
    CodeRow{"LOADING", ErrorCode::Unavailable},
    CodeRow{"BUSY ", ErrorCode::Unavailable},
    CodeRow{"MASTERDOWN", ErrorCode::Unavailable},
    CodeRow{"NOMASTERLINK", ErrorCode::Unavailable},
    CodeRow{"TRYAGAIN", ErrorCode::Unavailable},
    CodeRow{"CLUSTERDOWN", ErrorCode::Unavailable},
    CodeRow{"ERR max number of clients", ErrorCode::Unavailable},
    CodeRow{"READONLY", ErrorCode::FailedPrecondition},
    CodeRow{"MISCONF", ErrorCode::FailedPrecondition},
    CodeRow{"MOVED", ErrorCode::FailedPrecondition},
    CodeRow{"ERR unknown command", ErrorCode::FailedPrecondition},
    CodeRow{"OOM", ErrorCode::ResourceExhausted},
    CodeRow{"ERR DB index", ErrorCode::NotFound},
};

/// Servers repeat a command's arguments when they do not know it, and those can be secret.
std::string_view without_arguments(std::string_view text) {
  return text.substr(0, std::min(text.find(", with args"), text.size()));
}

Error garbled(const std::string& where) {
  return Error{ErrorCode::DataLoss, where + " does not answer as a Redis server does"};
}

int64_t parse_number(std::string_view text, const std::string& where) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) throw garbled(where);
  return value;
}

}  // namespace

Error error_of(const Reply& reply, const std::string& what) {
  const std::string text{without_arguments(reply.text)};
  ErrorCode code = ErrorCode::Aborted;
  for (const CodeRow& row : kCodes) {
    if (text.starts_with(row.word)) {
      code = row.code;
      break;
    }
  }
  return Error{code, what + ": " + text};
}

Client Client::open(const Call& call, const Address& address, const TlsSettings& tls,
                    const Login& login) {
  Client out{Stream::open(call, address, tls)};
  out.log_in(login);
  return out;
}

void Client::log_in(const Login& login) {
  if (login.empty()) return;
  Reply reply;
  if (login.username.empty()) {
    reply = ask({"AUTH", login.password});
  } else {
    reply = ask({"AUTH", login.username, login.password});
    // Before version 6 there are no users, and "default" is what the one password stands for.
    if (reply.is_error("ERR wrong number of arguments") && login.username == "default") {
      reply = ask({"AUTH", login.password});
    }
  }
  if (!reply.is_error()) return;
  const Error error = error_of(reply, "cannot log in on " + where());
  const bool busy = error.code() == ErrorCode::Unavailable;
  throw Error{busy ? ErrorCode::Unavailable : ErrorCode::Unauthenticated, error.what()};
}

void Client::begin_word(size_t size) { out_ += "$" + std::to_string(size) + "\r\n"; }

void Client::queue(std::initializer_list<std::string_view> words) {
  out_ += "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    begin_word(word.size());
    out_.append(word).append("\r\n");
  }
  if (out_.size() >= kSendAt) flush();
}

void Client::queue(std::initializer_list<std::string_view> words, std::string_view last,
                   std::string_view last_end, std::initializer_list<std::string_view> options) {
  out_ += "*" + std::to_string(words.size() + 1 + options.size()) + "\r\n";
  for (const std::string_view word : words) {
    begin_word(word.size());
    out_.append(word).append("\r\n");
  }
  begin_word(last.size() + last_end.size());
  if (last.size() >= kSendAt) {
    flush();
    stream_.write(last);
  } else {
    out_.append(last);
  }
  out_.append(last_end).append("\r\n");
  for (const std::string_view word : options) {
    begin_word(word.size());
    out_.append(word).append("\r\n");
  }
  if (out_.size() >= kSendAt) flush();
}

void Client::flush() {
  stream_.write(out_);
  out_.clear();
}

Reply Client::ask(std::initializer_list<std::string_view> words) {
  queue(words);
  flush();
  return receive();
}

Reply Client::demand(std::initializer_list<std::string_view> words) {
  Reply reply = ask(words);
  if (reply.is_error()) throw error_of(reply, "cannot run " + std::string{*words.begin()});
  return reply;
}

void Client::refill() {
  if (at_ > 0) {
    in_.erase(0, at_);
    at_ = 0;
  }
  const size_t before = in_.size();
  in_.resize(before + kReadBlock);
  size_t n = 0;
  try {
    n = stream_.read(std::span{in_}.subspan(before), idle_ms_);
  } catch (...) {
    in_.resize(before);
    throw;
  }
  in_.resize(before + n);
  if (n == 0) {
    throw Error{ErrorCode::Unavailable, where() + " ended the connection"};
  }
}

std::string Client::receive_line() {
  size_t searched = at_;
  while (true) {
    const size_t end = in_.find('\n', searched);
    if (end != std::string::npos) {
      std::string line = in_.substr(at_, end - at_);
      at_ = end + 1;
      if (!line.empty() && line.back() == '\r') line.pop_back();
      return line;
    }
    if (in_.size() - at_ > kLongestLine) throw garbled(where());
    searched = in_.size() - at_;  // refill() moves what is left to the front
    refill();
  }
}

size_t Client::receive_some(std::span<char> buffer) {
  if (at_ < in_.size()) {
    const size_t n = std::min(buffer.size(), in_.size() - at_);
    std::copy_n(in_.begin() + static_cast<std::ptrdiff_t>(at_), n, buffer.begin());
    at_ += n;
    return n;
  }
  return stream_.read(buffer, idle_ms_);
}

std::string Client::receive_bytes(size_t size) {
  std::string out;
  while (out.size() < size + 2) {
    if (at_ == in_.size()) refill();
    const size_t n = std::min(size + 2 - out.size(), in_.size() - at_);
    out.append(in_, at_, n);
    at_ += n;
  }
  if (!out.ends_with("\r\n")) throw garbled(where());
  out.resize(size);
  return out;
}

Reply Client::receive() {
  size_t budget = kLargestReply;
  return receive(0, budget);
}

Reply Client::receive(int depth, size_t& budget) {
  const auto spend = [&](size_t cost) {
    if (cost > budget) {
      throw Error{ErrorCode::ResourceExhausted, "an answer of " + where() + " is over 64 MiB long"};
    }
    budget -= cost;
  };
  const std::string line = receive_line();
  if (line.empty() || depth > kDeepest) throw garbled(where());
  spend(kReplyCost + line.size());
  Reply out;
  const std::string_view rest = std::string_view{line}.substr(1);
  switch (line.front()) {
    case '+':
      out.kind = Reply::Kind::Status;
      out.text = rest;
      return out;
    case '-':
      out.kind = Reply::Kind::Error;
      out.text = rest;
      return out;
    case ':':
      out.kind = Reply::Kind::Integer;
      out.integer = parse_number(rest, where());
      return out;
    case '$': {
      const int64_t size = parse_number(rest, where());
      if (size == -1) return out;
      if (size < 0) throw garbled(where());
      spend(static_cast<size_t>(size));
      out.kind = Reply::Kind::Bulk;
      out.text = receive_bytes(static_cast<size_t>(size));
      return out;
    }
    case '*': {
      const int64_t count = parse_number(rest, where());
      if (count == -1) return out;
      if (count < 0) throw garbled(where());
      out.kind = Reply::Kind::Array;
      for (int64_t i = 0; i < count; ++i) out.items.push_back(receive(depth + 1, budget));
      return out;
    }
    default:
      throw garbled(where());
  }
}

std::string info_field(std::string_view info, std::string_view name) {
  while (!info.empty()) {
    const size_t end = std::min(info.find('\n'), info.size());
    std::string_view line = info.substr(0, end);
    info.remove_prefix(std::min(end + 1, info.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') {
      return std::string{line.substr(name.size() + 1)};
    }
  }
  return {};
}

}  // namespace dbackup::redis
