#include "download.hpp"

#include <algorithm>
#include <charconv>

namespace dbackup::plugins::s3 {
namespace {

std::optional<uint64_t> number(std::string_view text) {
  uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

struct ContentRange {
  uint64_t first = 0;
  uint64_t size = 0;  // of the whole object
};
/// "bytes 0-499/1234" (RFC 9110, 14.4)
std::optional<ContentRange> parse_range(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const size_t dash = text.find('-');
  const size_t slash = text.find('/');
  if (dash == text.npos || slash == text.npos || dash > slash) return std::nullopt;
  const auto first = number(text.substr(0, dash));
  const auto size = number(text.substr(slash + 1));
  if (!first || !size) return std::nullopt;
  return ContentRange{*first, *size};
}

}  // namespace

void Download::begin(const Response& response) {
  const std::string etag = response.header("etag");
  if (!etag_.empty() && etag != etag_) {
    throw Error{ErrorCode::Aborted, what_ + ": it was replaced while it was read"};
  }
  etag_ = etag;
  if (response.status == 206) {
    const auto range = parse_range(response.header("content-range"));
    if (!range || range->first != offset_ + done_) {
      throw Error{ErrorCode::Aborted, what_ + ": the server sent another range than was asked for"};
    }
    const uint64_t after = range->size - std::min(range->size, offset_);
    total_ = std::min(length_.value_or(after), after);
  } else if (offset_ + done_ > 0 || length_) {
    throw Error{ErrorCode::Aborted, what_ + ": the server does not read ranges"};
  } else {
    total_ = number(response.header("content-length"));
  }
}

void Download::take(std::span<const std::byte> block) {
  call_.check_cancelled();
  if (total_ && done_ + block.size() > *total_) {
    throw Error{ErrorCode::Aborted, what_ + ": the server sent more than was asked for"};
  }
  try {
    out_.write(block);
  } catch (...) {
    consumer_failed_ = true;  // nothing that another attempt could help
    throw;
  }
  done_ += block.size();
  call_.progress(done_, total_.value_or(0));
  call_.check_cancelled();
}

/// One request; false when the object ends before the offset.
bool Download::attempt() {
  Request request{.key = key_};
  const uint64_t from = offset_ + done_;
  if (from > 0 || length_) {
    std::string range = "bytes=" + std::to_string(from) + "-";
    if (length_ && *length_ <= UINT64_MAX - offset_) {
      range += std::to_string(offset_ + *length_ - 1);
    }
    request.headers.emplace_back("range", range);
    request.accept.insert(416);
  }
  if (!etag_.empty()) request.headers.emplace_back("if-match", etag_);
  bool begun = false;
  request.begin = [&](const Response& response) {
    begun = true;
    begin(response);
  };
  request.take = [&](std::span<const std::byte> block) { take(block); };
  const Response response = client_.send_once(request, what_, [this] { call_.check_cancelled(); });
  if (response.status == 416) {
    if (done_ > 0) throw Error{ErrorCode::Aborted, what_ + ": it became shorter while it was read"};
    return false;
  }
  if (!begun) begin(response);
  return true;
}

void Download::run() {
  uint64_t done_before = 0;
  for (Backoff backoff;;) {
    try {
      if (!attempt()) return;
      if (!total_ || done_ == *total_) return;
      throw Error{ErrorCode::Unavailable, what_ + ": the transfer ended early"};
    } catch (const ServiceError& error) {
      if (consumer_failed_) throw;
      if (error.status() == 412) {
        throw Error{ErrorCode::Aborted, what_ + ": it was replaced while it was read"};
      }
      backoff.wait_or_throw(error, [this] { call_.check_cancelled(); });
    } catch (const Error& error) {
      if (consumer_failed_) throw;
      if (total_ && done_ == *total_ && is_transient(error)) return;  // broken after the last byte
      if (done_ > std::exchange(done_before, done_)) backoff = Backoff{};
      backoff.wait_or_throw(error, [this] { call_.check_cancelled(); });
    }
  }
}

}  // namespace dbackup::plugins::s3
