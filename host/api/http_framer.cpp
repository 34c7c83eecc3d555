#include "api/http_framer.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/optional.hpp>
#include <limits>

namespace dbackup::host {
namespace {

namespace http = boost::beast::http;

std::string to_std(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct HttpFramer::Parser {
  /// Beast's parsers serve one message; a new one is made in place for each request.
  boost::optional<http::request_parser<http::string_body>> beast;
};

HttpFramer::HttpFramer(Limits limits) : limits_{limits}, parser_{std::make_unique<Parser>()} {}
HttpFramer::HttpFramer(HttpFramer&&) noexcept = default;
HttpFramer& HttpFramer::operator=(HttpFramer&&) noexcept = default;
HttpFramer::~HttpFramer() = default;

HttpFramer::State HttpFramer::fail(int status, std::string_view message) {
  failure_ = {.status = status, .message = message};
  buffer_ = std::string{};
  return state_ = State::Failed;
}

HttpFramer::State HttpFramer::feed(std::string_view bytes) {
  if (state_ == State::Failed) return state_;
  if (state_ == State::NeedInput && buffer_.empty()) {
    run(bytes);
    if (state_ != State::Failed) buffer_.assign(bytes);
    return state_;
  }
  buffer_.append(bytes);
  return resume();
}

HttpFramer::State HttpFramer::resume() {
  if (state_ != State::NeedInput) return state_;
  std::string_view rest = buffer_;
  run(rest);
  if (state_ != State::Failed) buffer_.erase(0, buffer_.size() - rest.size());
  return state_;
}

HttpFramer::State HttpFramer::run(std::string_view& bytes) {
  if (!begun_) {
    // An empty line before a request is to be forgiven (RFC 9112, 2.2). A lone CR may be half of
    // one.
    while (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
    if (bytes.empty() || bytes == "\r") return state_;
    begun_ = true;
    in_body_ = false;
    head_bytes_ = 0;
    parser_->beast.emplace();
    parser_->beast->header_limit(static_cast<uint32_t>(limits_.header_bytes));
    // Not boost::none: Beast 1.74 compares an announced length with it and finds any length too
    // large.
    parser_->beast->body_limit(std::numeric_limits<uint64_t>::max());
  }
  return in_body_ ? parse_body(bytes) : parse_head(bytes);
}

HttpFramer::State HttpFramer::parse_head(std::string_view& bytes) {
  auto& parser = *parser_->beast;
  while (!bytes.empty() && !parser.is_header_done()) {
    boost::beast::error_code error;
    const size_t used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(used);
    head_bytes_ += used;
    // Beast's own limit counts only bytes it has not consumed yet, so a head in pieces would get
    // past it.
    const size_t waiting = error == http::error::need_more ? bytes.size() : 0;
    if (error == http::error::header_limit || head_bytes_ + waiting > limits_.header_bytes) {
      return fail(431, "request head too large");
    }
    if (error == http::error::need_more) return state_;
    if (error == http::error::bad_version) return fail(505, "HTTP version not supported");
    if (error) return fail(400, "malformed request");
  }
  return parser.is_header_done() ? check_head() : state_;
}

HttpFramer::State HttpFramer::check_head() {
  auto& parser = *parser_->beast;
  const auto& message = parser.get();
  request_ = HttpRequest{};
  request_.method_text = to_std(message.method_string());
  request_.method = method_from(request_.method_text);
  request_.target = to_std(message.target());
  size_t fields = 0;
  for (const auto& field : message) {
    // Copied here, so that trailers, which Beast adds to the same list, never become headers.
    request_.headers.add(to_std(field.name_string()), to_std(field.value()));
    if (++fields > limits_.header_fields) return fail(431, "too many header fields");
  }
  http_1_0_ = message.version() == 10;
  keep_alive_ = message.keep_alive();
  content_length_.reset();
  if (const auto length = parser.content_length()) content_length_ = *length;

  if (request_.headers.contains("Transfer-Encoding")) {
    const auto encodings = request_.headers.find_all("Transfer-Encoding");
    if (http_1_0_) return fail(400, "transfer encoding in an HTTP/1.0 request");
    if (encodings.size() != 1 || !equal_ignoring_case(encodings[0], "chunked")) {
      return fail(501, "transfer encoding not supported");
    }
  }
  const size_t hosts = request_.headers.count("Host");
  if (hosts > 1 || (hosts == 0 && !http_1_0_)) return fail(400, "exactly one Host field is needed");
  if (const auto reason = split_target(request_); !reason.empty()) return fail(400, reason);

  const std::string* expect = request_.headers.find("Expect");
  if (expect && !http_1_0_ && !equal_ignoring_case(*expect, "100-continue"))
    return fail(417, "expectation not supported");
  has_body_ = !parser.is_done();
  expects_continue_ = expect && !http_1_0_ && has_body_;
  return state_ = State::HeadReady;
}

HttpFramer::State HttpFramer::accept_body(uint64_t limit) {
  if (state_ != State::HeadReady) return state_;
  if (content_length_ && *content_length_ > limit) return fail(413, "request body too large");
  auto& parser = *parser_->beast;
  parser.body_limit(limit);
  parser.eager(true);
  in_body_ = true;
  if (parser.is_done()) return state_ = State::RequestReady;
  state_ = State::NeedInput;
  return resume();
}

HttpFramer::State HttpFramer::parse_body(std::string_view& bytes) {
  auto& parser = *parser_->beast;
  int idle_rounds = 0;
  while (!bytes.empty() && !parser.is_done()) {
    boost::beast::error_code error;
    const size_t used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(used);
    idle_rounds = used == 0 ? idle_rounds + 1 : 0;
    if (idle_rounds > 4)
      return fail(400,
                  "malformed request body");  // a parser that stands still must not hold the thread
    if (error == http::error::need_more) {
      // Only a chunk header or the trailers can wait for more; neither has a limit of its own in
      // Beast.
      if (bytes.size() > limits_.header_bytes)
        return fail(400, "chunk header or trailer too large");
      return state_;
    }
    if (error == http::error::body_limit) return fail(413, "request body too large");
    if (error) return fail(400, "malformed request body");
  }
  if (parser.is_done()) {
    request_.body = std::move(parser.get().body());
    state_ = State::RequestReady;
  }
  return state_;
}

HttpRequest HttpFramer::take() {
  HttpRequest request = std::move(request_);
  request_ = HttpRequest{};
  begun_ = false;
  parser_->beast.reset();
  state_ = State::NeedInput;
  return request;
}

}  // namespace dbackup::host
