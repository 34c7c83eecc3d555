#include "crypto/age_range.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

[[noreturn]] void throw_range_damaged(const std::string& what) {
  throw Error{ErrorCode::DataLoss, what, {}, "age_payload"};
}

}  // namespace

uint64_t age_plain_size(uint64_t stored_size, uint64_t header_size) {
  if (stored_size < header_size || stored_size - header_size < kAgeTagSize) {
    throw_range_damaged("the sealed file is cut before its first chunk");
  }
  const uint64_t payload = stored_size - header_size;
  const uint64_t rest = payload % kAgeStoredChunkSize;
  // The last chunk has a tag and, unless it is the only one, at least one byte.
  if (rest != 0 && (rest < kAgeTagSize || (rest == kAgeTagSize && payload > kAgeStoredChunkSize))) {
    throw_range_damaged("the sealed file is cut within its last chunk");
  }
  const uint64_t chunks = payload / kAgeStoredChunkSize + (rest != 0 ? 1 : 0);
  return payload - chunks * kAgeTagSize;
}

uint64_t age_stored_size(uint64_t plain_size, uint64_t header_size) {
  const uint64_t full = plain_size / kAgeChunkSize;
  const uint64_t chunks = plain_size == 0 || plain_size % kAgeChunkSize != 0 ? full + 1 : full;
  return header_size + plain_size + chunks * kAgeTagSize;
}

AgeStoredRange age_stored_range(uint64_t stored_size, uint64_t header_size, uint64_t plain_offset,
                                uint64_t plain_length) {
  const uint64_t plain_size = age_plain_size(stored_size, header_size);
  if (plain_offset > plain_size) {
    throw Error{ErrorCode::InvalidArgument, "the range starts beyond the end of the file"};
  }
  AgeStoredRange range;
  range.plain_length = std::min(plain_length, plain_size - plain_offset);
  range.first_chunk = plain_offset / kAgeChunkSize;
  range.skip = plain_offset % kAgeChunkSize;
  range.stored_offset = header_size + range.first_chunk * kAgeStoredChunkSize;
  if (range.plain_length == 0) return range;
  const uint64_t end_chunk = (plain_offset + range.plain_length - 1) / kAgeChunkSize + 1;
  range.chunk_count = end_chunk - range.first_chunk;
  const uint64_t stored_end = std::min(stored_size, header_size + end_chunk * kAgeStoredChunkSize);
  range.stored_length = stored_end - range.stored_offset;
  range.includes_last = stored_end == stored_size;
  return range;
}

AgeRangeOpener::AgeRangeOpener(AgePayloadKey key, const AgeStoredRange& range)
    : key_{std::move(key)},
      range_{range},
      stored_left_{range.stored_length},
      plain_left_{range.plain_length} {
  pending_.reserve(kAgeStoredChunkSize);
}

size_t AgeRangeOpener::next_chunk_size() const noexcept {
  const uint64_t left = range_.stored_length - done_ * kAgeStoredChunkSize;
  return static_cast<size_t>(std::min<uint64_t>(left, kAgeStoredChunkSize));
}

void AgeRangeOpener::open(std::span<const std::byte> stored, std::vector<std::byte>& plain) {
  const size_t before = plain.size();
  const size_t size = stored.size() < kAgeTagSize ? 0 : stored.size() - kAgeTagSize;
  plain.resize(before + size);
  const uint64_t index = range_.first_chunk + done_;
  const bool last = range_.includes_last && done_ + 1 == range_.chunk_count;
  if (!key_.open_chunk(index, last, stored, std::span{plain}.subspan(before))) {
    plain.resize(before);
    failed_ = true;
    throw_range_damaged("chunk " + std::to_string(index) + " of the sealed file is damaged or cut");
  }
  const auto from = plain.begin() + static_cast<ptrdiff_t>(before);
  if (done_ == 0) plain.erase(from, from + static_cast<ptrdiff_t>(range_.skip));
  const auto given = static_cast<size_t>(std::min<uint64_t>(plain_left_, plain.size() - before));
  plain.resize(before + given);
  plain_left_ -= given;
  ++done_;
}

void AgeRangeOpener::update(std::span<const std::byte> stored, std::vector<std::byte>& plain) {
  if (failed_) throw_range_damaged("the sealed range is damaged");
  if (stored.size() > stored_left_) {
    failed_ = true;
    throw_range_damaged("the destination gave more bytes than the range has");
  }
  stored_left_ -= stored.size();
  // The sizes of all chunks of the range are known, so each is opened as soon as it is whole.
  while (!stored.empty()) {
    const size_t wanted = next_chunk_size();
    if (pending_.empty() && stored.size() >= wanted) {
      open(stored.first(wanted), plain);
      stored = stored.subspan(wanted);
      continue;
    }
    const auto head = stored.first(std::min(stored.size(), wanted - pending_.size()));
    pending_.insert(pending_.end(), head.begin(), head.end());
    stored = stored.subspan(head.size());
    if (pending_.size() < wanted) return;
    open(pending_, plain);
    pending_.clear();
  }
}

void AgeRangeOpener::finish() const {
  if (failed_ || stored_left_ != 0 || plain_left_ != 0) {
    throw_range_damaged("the sealed range ended early");
  }
}

}  // namespace dbackup::host
