#include "api/http_reply.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>

namespace dbackup::host {
namespace {

constexpr size_t kBlockBytes = size_t{256} << 10;
constexpr size_t kPrefixRoom = 16;  // "40000\r\n" before a chunk, in the same send
constexpr size_t kSuffixRoom = 2;
constexpr size_t kCopiedBodyBytes = size_t{16} << 10;  // below this one send is worth a copy

/// "Sun, 06 Nov 1994 08:49:37 GMT", made once a second per thread. strftime would follow the
/// locale.
std::string_view http_date() {
  static constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed",
                                                    "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  thread_local std::time_t made_at = -1;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != made_at) {
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    text = fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                       kDays[static_cast<size_t>(utc.tm_wday)], utc.tm_mday,
                       kMonths[static_cast<size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                       utc.tm_min, utc.tm_sec);
    made_at = now;
  }
  return text;
}

bool is_servers_own(std::string_view name) {
  return equal_ignoring_case(name, "Connection") || equal_ignoring_case(name, "Content-Length") ||
         equal_ignoring_case(name, "Transfer-Encoding") || equal_ignoring_case(name, "Date");
}

/// Appends `text` with every control character as a space: no value can begin a header line of its
/// own.
void append_clean(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back((byte < 0x20 && c != '\t') || byte == 0x7f ? ' ' : c);
  }
}

bool is_token(std::string_view name) {
  constexpr std::string_view kAllowed = "!#$%&'*+-.^_`|~";
  for (const char c : name) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!alphanumeric && kAllowed.find(c) == std::string_view::npos) return false;
  }
  return !name.empty();
}

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

}  // namespace

HttpReply::HttpReply(HttpResponse response, Form form)
    : keep_alive_{form.keep_alive && !response.close} {
  std::optional<uint64_t> length;
  if (auto* relay = std::get_if<HttpRelay>(&response.body)) {
    relay_ = std::move(*relay);
    is_relay_ = more_ = true;
    length = relay_.length;
    chunked_ = !length && !form.http_1_0;
    close_delimited_ = !length && !chunked_;
  } else if (auto* stream = std::get_if<std::shared_ptr<HttpEventStream>>(&response.body)) {
    events_ = std::move(*stream);
    more_ = close_delimited_ = true;
  } else {
    body_ = std::move(std::get<std::string>(response.body));
    length = body_.size();
  }
  const bool bodiless = has_no_body(response.status);
  if (bodiless) {
    length.reset();
    chunked_ = close_delimited_ = false;
  }
  if (close_delimited_) keep_alive_ = false;
  response.close = !keep_alive_;
  out_.reserve(512);
  render_head(response, form);
  if (chunked_) out_ += "Transfer-Encoding: chunked\r\n";
  if (length) out_ += fmt::format("Content-Length: {}\r\n", *length);
  out_ += "\r\n";

  if (form.head_only || bodiless) {
    body_.clear();
    more_ = false;
  } else if (is_relay_) {
    buffer_ = std::make_unique_for_overwrite<char[]>(kPrefixRoom + kBlockBytes + kSuffixRoom);
    const int flags = ::fcntl(relay_.source.get(), F_GETFL);
    if (flags >= 0) ::fcntl(relay_.source.get(), F_SETFL, flags | O_NONBLOCK);
    // Whole blocks need a pipe that holds one. May be refused (a user's pipes have a common limit):
    // then slower.
    ::fcntl(relay_.source.get(), F_SETPIPE_SZ, static_cast<int>(kBlockBytes));
  }
  if (body_.size() <= kCopiedBodyBytes) {
    out_ += body_;
    body_.clear();
  }
}

HttpReply::~HttpReply() { finish(false); }

void HttpReply::finish(bool delivered) noexcept {
  more_ = false;
  if (is_relay_) relay_.finish(delivered && source_ended_);
  if (const auto stream = std::exchange(events_, nullptr)) stream->end();
}

void HttpReply::render_head(HttpResponse& response, const Form& form) {
  out_ += fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                      reason_phrase(response.status), http_date());
  for (const auto& [name, value] : response.fixed_headers) {
    out_.append(name).append(": ").append(value).append("\r\n");
  }
  for (const auto& [name, value] : response.headers.fields()) {
    if (is_servers_own(name) || !is_token(name)) continue;
    out_ += name;
    out_ += ": ";
    append_clean(out_, value);
    out_ += "\r\n";
  }
  if (response.close) {
    out_ += "Connection: close\r\n";
  } else if (form.http_1_0) {
    out_ += "Connection: keep-alive\r\n";
  }
}

HttpReply::Step HttpReply::push(HttpTransport& transport, int rounds, uint64_t& progress) {
  // A client too slow for its events is dropped for that, not only when its socket takes bytes
  // again.
  if (events_ && events_->overflowed()) return Step::Cut;
  while (rounds-- > 0) {
    if (const Step step = send_pending(transport, progress); step != Step::Done) return step;
    if (!more_) return Step::Done;
    const Step step = is_relay_ ? refill_relay() : refill_events();
    if (step != Step::Again) return step;
  }
  return Step::Again;
}

HttpReply::Step HttpReply::send_pending(HttpTransport& transport, uint64_t& progress) {
  const auto send = [&](std::string_view piece, size_t& sent, bool more) {
    size_t taken = 0;
    const auto step =
        piece.empty() ? HttpTransport::Step::Done : transport.send(piece, taken, more);
    sent += taken;
    progress += taken;
    if (step == HttpTransport::Step::Done) return Step::Done;
    return step == HttpTransport::Step::Blocked ? Step::Socket : Step::Broken;
  };
  if (out_sent_ < out_.size()) {
    const Step step = send(std::string_view{out_}.substr(out_sent_), out_sent_, !body_.empty());
    if (step != Step::Done) return step;
    out_.clear();
    out_sent_ = 0;
  }
  if (body_sent_ < body_.size()) {
    const Step step = send(std::string_view{body_}.substr(body_sent_), body_sent_, false);
    if (step != Step::Done) return step;
    body_ = std::string{};
    body_sent_ = 0;
  }
  if (!block_.empty()) {
    size_t taken = 0;
    const Step step = send(block_, taken, false);
    block_.remove_prefix(taken);
    if (step != Step::Done) return step;
  }
  if (transport.wants_flush()) {
    const auto step = transport.flush();
    if (step != HttpTransport::Step::Done) {
      return step == HttpTransport::Step::Blocked ? Step::Socket : Step::Broken;
    }
  }
  return Step::Done;
}

HttpReply::Step HttpReply::refill_relay() {
  if (source_ended_) return end_relay();
  char* data = buffer_.get() + kPrefixRoom;
  // All announced bytes are here, the last of them held back: one byte of room shows whether the
  // source goes on.
  char extra = 0;
  const bool probing = relay_.length && *relay_.length == relayed_;
  ssize_t count = 0;
  do {
    count = probing ? ::read(relay_.source.get(), &extra, 1)
                    : ::read(relay_.source.get(), data, kBlockBytes);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Step::Source : cut();
  if (count == 0) {
    source_ended_ = true;
    return end_relay();
  }
  const auto size = static_cast<size_t>(count);
  relayed_ += size;
  if (relay_.length) {
    if (relayed_ > *relay_.length) return cut();
    (relayed_ == *relay_.length ? held_ : block_) = {data, size};
  } else if (chunked_) {
    std::array<char, kPrefixRoom> hex{};
    const auto end = std::to_chars(hex.data(), hex.data() + hex.size() - 2, size, 16).ptr;
    end[0] = '\r';
    end[1] = '\n';
    const auto prefix = static_cast<size_t>(end + 2 - hex.data());
    std::memcpy(data - prefix, hex.data(), prefix);
    std::memcpy(data + size, "\r\n", kSuffixRoom);
    block_ = {data - prefix, prefix + size + kSuffixRoom};
  } else {
    block_ = {data, size};
  }
  return Step::Again;
}

HttpReply::Step HttpReply::end_relay() {
  if (relay_.length && relayed_ != *relay_.length) return cut();
  RelayEnd end = RelayEnd::Complete;
  try {
    if (relay_.verdict) end = relay_.verdict();
  } catch (...) {
    end = RelayEnd::Failed;
  }
  if (end == RelayEnd::Pending) return Step::Verdict;
  if (end == RelayEnd::Failed) return cut();
  block_ = std::exchange(held_, {});
  if (chunked_) out_ += "0\r\n\r\n";
  more_ = false;
  return Step::Again;
}

HttpReply::Step HttpReply::refill_events() {
  auto taken = events_->take();
  if (taken.overflow) return Step::Cut;
  if (taken.last) more_ = false;
  if (taken.text.empty()) return taken.last ? Step::Again : Step::Events;
  out_ = std::move(taken.text);
  out_sent_ = 0;
  return Step::Again;
}

void HttpReply::add_comment() { out_ += ":\n\n"; }

}  // namespace dbackup::host
