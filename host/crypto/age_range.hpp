#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "crypto/age_stream.hpp"

namespace dbackup::host {

/// Sizes of the unsealed and the stored form. `header_size` counts header and nonce.
/// age_plain_size throws Error{DataLoss} for a stored size no age file can have. The answer follows
/// from sizes alone: a file cut at a chunk's border is noticed when its last chunk is opened, not
/// here.
uint64_t age_plain_size(uint64_t stored_size, uint64_t header_size);
uint64_t age_stored_size(uint64_t plain_size, uint64_t header_size);

/// The stored bytes that hold a range of the plain ones.
struct AgeStoredRange {
  uint64_t stored_offset = 0;  ///< from the start of the file
  uint64_t stored_length = 0;  ///< whole chunks; 0 for an empty range
  uint64_t first_chunk = 0;
  uint64_t chunk_count = 0;
  bool includes_last = false;  ///< the range ends with the file's last chunk
  uint64_t skip = 0;           ///< plain bytes of the first chunk that lie before the range
  uint64_t plain_length = 0;   ///< length of the range, cut at the end of the file
};

/// Throws Error{InvalidArgument} when `plain_offset` lies beyond the end, Error{DataLoss} as
/// age_plain_size does.
AgeStoredRange age_stored_range(uint64_t stored_size, uint64_t header_size, uint64_t plain_offset,
                                uint64_t plain_length);

/// Opens the chunks of one range, in order, and gives exactly the plain bytes asked for. Rules as
/// AgeOpener.
class AgeRangeOpener {
 public:
  AgeRangeOpener(AgePayloadKey key, const AgeStoredRange& range);

  /// Takes the bytes of the stored range in any split. Throws Error{DataLoss} for damage or more
  /// bytes than the range has.
  void update(std::span<const std::byte> stored, std::vector<std::byte>& plain);
  /// Throws Error{DataLoss} when the stored range was not given whole.
  void finish() const;

 private:
  void open(std::span<const std::byte> stored, std::vector<std::byte>& plain);
  size_t next_chunk_size() const noexcept;

  AgePayloadKey key_;
  AgeStoredRange range_;
  std::vector<std::byte> pending_;
  uint64_t done_ = 0;         // chunks opened
  uint64_t stored_left_ = 0;  // stored bytes not yet given
  uint64_t plain_left_ = 0;   // plain bytes not yet appended
  bool failed_ = false;
};

}  // namespace dbackup::host
