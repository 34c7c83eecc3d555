#include "rdb_input.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "crc64.hpp"

namespace dbackup::redis {
namespace {

// The two top bits of a length's first byte say how it goes on.
constexpr uint8_t kLength6 = 0;
constexpr uint8_t kLength14 = 1;
constexpr uint8_t kLength32 = 0x80;
constexpr uint8_t kLength64 = 0x81;
constexpr uint8_t kEncoded = 3;
enum StringEncoding : uint64_t { kInt8 = 0, kInt16 = 1, kInt32 = 2, kLzf = 3 };

constexpr uint64_t kLongestName = uint64_t{512} * 1024 * 1024;
constexpr uint64_t kLzfMostRatio = 264;  // one code of at least 3 bytes copies at most 264

Error damaged(uint64_t position) {
  return Error{ErrorCode::DataLoss, "the backup is damaged at byte " + std::to_string(position)};
}

}  // namespace

std::optional<std::string> unpack_lzf(std::string_view packed, size_t size) {
  constexpr unsigned kLiteralBelow = 32;
  constexpr unsigned kLongRun = 7;
  std::string out;
  out.reserve(size);
  size_t at = 0;
  const auto next = [&] { return static_cast<unsigned char>(packed[at++]); };
  while (at < packed.size()) {
    const unsigned control = next();
    if (control < kLiteralBelow) {
      const size_t count = control + 1;
      if (count > packed.size() - at || out.size() + count > size) return {};
      out.append(packed, at, count);
      at += count;
      continue;
    }
    size_t count = control >> 5;
    if (count == kLongRun) {
      if (at == packed.size()) return {};
      count += next();
    }
    count += 2;
    if (at == packed.size()) return {};
    const size_t back = ((control & 0x1F) << 8) + next() + 1;
    if (back > out.size() || out.size() + count > size) return {};
    for (size_t i = 0; i < count; ++i) out += out[out.size() - back];  // may overlap itself
  }
  if (out.size() != size) return {};
  return out;
}

void RdbInput::settle() {
  const std::string_view passed{block_.data() + settled_, at_ - settled_};
  crc_ = crc64(crc_, passed);
  if (into_ != nullptr) {
    if (into_->size() + passed.size() > most_) {
      throw Error{ErrorCode::ResourceExhausted, "a value is larger than \"maxValueMiB\" allows"};
    }
    into_->append(passed);
  }
  settled_ = at_;
}

bool RdbInput::fetch() {
  settle();
  call_.check_cancelled();
  before_block_ += at_;
  at_ = settled_ = have_ = 0;
  have_ = in_.read(std::as_writable_bytes(std::span{block_}));
  call_.progress(before_block_ + have_, 0);
  return have_ > 0;
}

void RdbInput::refill() {
  if (!fetch()) {
    throw Error{ErrorCode::DataLoss,
                "the backup ends after " + std::to_string(position()) + " bytes, in the middle"};
  }
}

bool RdbInput::at_end() { return at_ == have_ && !fetch(); }

uint8_t RdbInput::byte() {
  if (at_ == have_) refill();
  return static_cast<uint8_t>(block_[at_++]);
}

uint32_t RdbInput::le32() {
  uint32_t out = 0;
  for (int i = 0; i < 4; ++i) out |= uint32_t{byte()} << (8 * i);
  return out;
}

uint64_t RdbInput::le64() {
  uint64_t out = 0;
  for (int i = 0; i < 8; ++i) out |= uint64_t{byte()} << (8 * i);
  return out;
}

void RdbInput::skip(uint64_t count) {
  while (count > 0) {
    if (at_ == have_) refill();
    const size_t n = static_cast<size_t>(std::min<uint64_t>(count, have_ - at_));
    at_ += n;
    count -= n;
  }
}

std::string RdbInput::bytes(uint64_t count) {
  if (count > kLongestName) throw damaged(position());
  std::string out;
  while (out.size() < count) {  // grows with what is there, not with what is claimed
    if (at_ == have_) refill();
    const size_t n = static_cast<size_t>(std::min<uint64_t>(count - out.size(), have_ - at_));
    out.append(block_.data() + at_, n);
    at_ += n;
  }
  return out;
}

RdbInput::Length RdbInput::any_length() {
  const uint8_t first = byte();
  const uint8_t kind = first >> 6;
  if (kind == kLength6) return {.value = first & 0x3FU};
  if (kind == kLength14) return {.value = ((first & 0x3FU) << 8) | byte()};
  if (kind == kEncoded) return {.value = first & 0x3FU, .is_encoding = true};
  if (first != kLength32 && first != kLength64) throw damaged(position());
  uint64_t value = 0;
  for (int left = first == kLength32 ? 4 : 8; left > 0; --left) value = (value << 8) | byte();
  return {.value = value};
}

uint64_t RdbInput::length() {
  const Length out = any_length();
  if (out.is_encoding) throw damaged(position());
  return out.value;
}

void RdbInput::skip_string() {
  const Length head = any_length();
  if (!head.is_encoding) return skip(head.value);
  switch (head.value) {
    case kInt8:
      return skip(1);
    case kInt16:
      return skip(2);
    case kInt32:
      return skip(4);
    case kLzf: {
      const uint64_t packed = length();
      skip_length();
      return skip(packed);
    }
    default:
      throw damaged(position());
  }
}

std::string RdbInput::string() {
  const Length head = any_length();
  if (!head.is_encoding) return bytes(head.value);
  switch (head.value) {
    case kInt8:
      return std::to_string(static_cast<int8_t>(byte()));
    case kInt16: {
      const unsigned low = byte();
      return std::to_string(static_cast<int16_t>(low | (unsigned{byte()} << 8)));
    }
    case kInt32:
      return std::to_string(static_cast<int32_t>(le32()));
    case kLzf: {
      const uint64_t packed = length();
      const uint64_t size = length();
      if (packed > kLongestName || size > kLongestName || size > packed * kLzfMostRatio) {
        throw damaged(position());
      }
      auto out = unpack_lzf(bytes(packed), static_cast<size_t>(size));
      if (!out) throw damaged(position());
      return std::move(*out);
    }
    default:
      throw damaged(position());
  }
}

void RdbInput::collect_into(std::string& into, uint64_t most) {
  settle();
  into_ = &into;
  most_ = most;
}

void RdbInput::stop_collecting() {
  settle();
  into_ = nullptr;
}

uint64_t RdbInput::checksum() {
  settle();
  return crc_;
}

}  // namespace dbackup::redis
