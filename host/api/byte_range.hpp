#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dbackup::host {

/// One range as a client asked for it (RFC 9110, 14.1.2), before the size is known.
struct RangeRequest {
  std::optional<uint64_t> first;  ///< nullopt: the last `last` bytes
  std::optional<uint64_t> last;   ///< inclusive; nullopt: to the end
};
struct ByteRange {
  uint64_t offset = 0, length = 0;
};

/// nullopt when the header is to be ignored: another unit, several ranges, malformed.
std::optional<RangeRequest> parse_range(std::string_view header) noexcept;
/// nullopt when nothing of it lies within `total` bytes.
std::optional<ByteRange> resolve_range(const RangeRequest& request, uint64_t total) noexcept;

/// True when one of the entity tags of an If-None-Match field is `etag`, weakly compared, or "*".
bool matches_etag(std::string_view if_none_match, std::string_view etag) noexcept;

}  // namespace dbackup::host
