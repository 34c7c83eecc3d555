#include "api/byte_range.hpp"

#include <algorithm>
#include <charconv>

namespace dbackup::host {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// False when `text` is neither empty nor a number; a number too large for the type is the largest.
bool read_position(std::string_view text, std::optional<uint64_t>& out) {
  if (text.empty()) return true;
  if (!std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) return false;
  uint64_t value = 0;
  const auto status = std::from_chars(text.data(), text.data() + text.size(), value).ec;
  out = status == std::errc{} ? value : UINT64_MAX;
  return true;
}

}  // namespace

std::optional<RangeRequest> parse_range(std::string_view header) noexcept {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return std::nullopt;
  const std::string_view spec = trimmed(header.substr(kUnit.size()));
  const size_t dash = spec.find('-');
  if (dash == std::string_view::npos || spec.find(',') != std::string_view::npos)
    return std::nullopt;
  RangeRequest request;
  if (!read_position(trimmed(spec.substr(0, dash)), request.first)) return std::nullopt;
  if (!read_position(trimmed(spec.substr(dash + 1)), request.last)) return std::nullopt;
  if (!request.first && !request.last) return std::nullopt;
  if (request.first && request.last && *request.last < *request.first) return std::nullopt;
  return request;
}

std::optional<ByteRange> resolve_range(const RangeRequest& request, uint64_t total) noexcept {
  if (!request.first) {
    const uint64_t length = std::min(*request.last, total);
    if (length == 0) return std::nullopt;
    return ByteRange{.offset = total - length, .length = length};
  }
  if (*request.first >= total) return std::nullopt;
  const uint64_t last = std::min(request.last.value_or(UINT64_MAX), total - 1);
  return ByteRange{.offset = *request.first, .length = last - *request.first + 1};
}

bool matches_etag(std::string_view if_none_match, std::string_view etag) noexcept {
  if (trimmed(if_none_match) == "*") return true;
  while (!if_none_match.empty()) {
    const size_t comma = std::min(if_none_match.find(','), if_none_match.size());
    std::string_view tag = trimmed(if_none_match.substr(0, comma));
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == etag) return true;
    if_none_match.remove_prefix(std::min(comma + 1, if_none_match.size()));
  }
  return false;
}

}  // namespace dbackup::host
