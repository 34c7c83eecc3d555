#include "wal_index.hpp"

#include <bit>
#include <cstring>

namespace dbackup::sqlite {
namespace {

constexpr int kRegionBytes = 32 * 1024;
constexpr uint32_t kIndexVersion = 3007000;
constexpr size_t kHeaderWords = 12;   // 48 bytes
constexpr size_t kBackfillWord = 24;  // at byte 96
constexpr int kAttempts = 1000;
constexpr int64_t kLogHead = 32;
constexpr int64_t kFrameHead = 24;
constexpr bool kBigEndian = std::endian::native == std::endian::big;

using Header = std::array<uint32_t, kHeaderWords>;

uint32_t get4(const unsigned char* at) noexcept {
  return (uint32_t{at[0]} << 24) | (uint32_t{at[1]} << 16) | (uint32_t{at[2]} << 8) |
         uint32_t{at[3]};
}

Error moved() { return Error{ErrorCode::Aborted, "the write-ahead log changed while it was read"}; }

Header copy_header(const volatile uint32_t* words) {
  Header out{};
  for (size_t i = 0; i < out.size(); ++i) out[i] = words[i];
  return out;
}

/// The header carries a checksum over its first 40 bytes, in the machine's own byte order.
bool is_whole(const Header& header) {
  uint32_t s1 = 0;
  uint32_t s2 = 0;
  for (size_t i = 0; i < 10; i += 2) {
    s1 += header[i] + s2;
    s2 += header[i + 1] + s1;
  }
  return header[10] == s1 && header[11] == s2;
}

void read_log(sqlite3_file* log, void* out, size_t size, int64_t offset) {
  const int code = log->pMethods->xRead(log, out, static_cast<int>(size), offset);
  if (code == SQLITE_IOERR_SHORT_READ) throw moved();
  if (code != SQLITE_OK) throw Error{ErrorCode::DataLoss, "cannot read the write-ahead log"};
}

}  // namespace

WalState read_wal_state(const Database& database) {
  sqlite3_file* file = database.file();
  if (file->pMethods->iVersion < 2 || file->pMethods->xShmMap == nullptr) {
    throw Error{ErrorCode::FailedPrecondition,
                "this file system offers no shared memory for the log"};
  }
  volatile void* region = nullptr;
  const int code = file->pMethods->xShmMap(file, 0, kRegionBytes, /*extend=*/0, &region);
  // Read-only is fine: another program keeps the index, and its pages are the same memory.
  if ((code != SQLITE_OK && code != SQLITE_READONLY) || region == nullptr) {
    throw Error{
        ErrorCode::PermissionDenied,
        "cannot use the \"-shm\" file beside the database; the server needs to write there"};
  }
  const auto* words = static_cast<const volatile uint32_t*>(region);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const Header first = copy_header(words);
    file->pMethods->xShmBarrier(file);
    const Header second = copy_header(words + kHeaderWords);
    file->pMethods->xShmBarrier(file);
    const uint32_t backfilled = words[kBackfillWord];
    file->pMethods->xShmBarrier(file);
    // A restart of the log writes the header first and the count afterwards: with the same header
    // on both sides of it, the count belongs to that header.
    const Header again = copy_header(words);
    if (first != second || first != again || !is_whole(first)) continue;
    if (first[0] != kIndexVersion) {
      throw Error{ErrorCode::FailedPrecondition, "the write-ahead log has an unknown format"};
    }
    WalState out;
    const auto* bytes = reinterpret_cast<const unsigned char*>(first.data());
    uint16_t size = 0;
    std::memcpy(&size, bytes + 14, sizeof(size));
    out.page_size = (size & 0xfe00U) + ((size & 1U) << 16);
    out.last_frame = first[4];
    out.pages = first[5];
    std::memcpy(out.salt.data(), bytes + 32, out.salt.size());
    out.backfilled = backfilled;
    return out;
  }
  throw moved();
}

WalFrames::WalFrames(sqlite3_file* log, const WalState& state) : log_{log}, state_{state} {
  std::array<unsigned char, kLogHead> raw{};
  read_log(log_, raw.data(), raw.size(), 0);
  const uint32_t magic = get4(raw.data());
  if ((magic & ~1U) != 0x377f0682U || get4(raw.data() + 4) != kIndexVersion ||
      get4(raw.data() + 8) != state_.page_size ||
      std::memcmp(raw.data() + 16, state_.salt.data(), state_.salt.size()) != 0) {
    throw moved();
  }
  big_endian_sums_ = (magic & 1U) != 0;
  first_sum_ = {get4(raw.data() + 24), get4(raw.data() + 28)};
  if (add({0, 0}, raw.data(), 24) != first_sum_) throw moved();
}

int64_t WalFrames::offset(uint32_t frame) const noexcept {
  return kLogHead + int64_t{frame - 1} * (kFrameHead + int64_t{state_.page_size});
}

WalFrames::Sum WalFrames::add(Sum sum, const unsigned char* data, size_t size) const noexcept {
  const bool swap = big_endian_sums_ != kBigEndian;
  for (size_t at = 0; at < size; at += 8) {
    uint32_t a = 0;
    uint32_t b = 0;
    std::memcpy(&a, data + at, 4);
    std::memcpy(&b, data + at + 4, 4);
    if (swap) {
      a = __builtin_bswap32(a);
      b = __builtin_bswap32(b);
    }
    sum[0] += a + sum[1];
    sum[1] += b + sum[0];
  }
  return sum;
}

WalFrames::Head WalFrames::parse(const unsigned char* raw) const {
  if (std::memcmp(raw + 8, state_.salt.data(), state_.salt.size()) != 0) throw moved();
  Head out{.page = get4(raw),
           .commit_size = get4(raw + 4),
           .sum = {get4(raw + 16), get4(raw + 20)},
           .raw = {}};
  if (out.page == 0) throw moved();
  std::memcpy(out.raw.data(), raw, out.raw.size());
  return out;
}

WalFrames::Head WalFrames::head(uint32_t frame) const {
  std::array<unsigned char, kFrameHead> raw{};
  read_log(log_, raw.data(), raw.size(), offset(frame));
  return parse(raw.data());
}

WalFrames::Sum WalFrames::sum_before(uint32_t frame) const {
  return frame == 1 ? first_sum_ : head(frame - 1).sum;
}

void WalFrames::check(const Head& head, const unsigned char* page, Sum before) const {
  const Sum sum = add(add(before, head.raw.data(), 8), page, state_.page_size);
  if (sum != head.sum) throw moved();
}

void WalFrames::verify_all(const Call& call) const {
  std::vector<unsigned char> block(static_cast<size_t>(kFrameHead) + state_.page_size);
  Sum sum = first_sum_;
  uint32_t commit_size = 0;
  for (uint32_t frame = 1; frame <= state_.last_frame; ++frame) {
    if (frame % 64 == 0) call.check_cancelled();
    read_log(log_, block.data(), block.size(), offset(frame));
    const Head found = parse(block.data());
    check(found, block.data() + kFrameHead, sum);
    sum = found.sum;
    commit_size = found.commit_size;
  }
  if (commit_size != state_.pages) throw moved();
}

void WalFrames::newest(uint32_t from, std::span<uint32_t> out, const Call& call) const {
  std::fill(out.begin(), out.end(), 0U);
  for (uint32_t frame = 1; frame <= state_.last_frame; ++frame) {
    if (frame % 4096 == 0) call.check_cancelled();
    const uint32_t page = head(frame).page;
    if (page >= from && page - from < out.size()) out[page - from] = frame;
  }
}

void WalFrames::read_page(uint32_t frame, uint32_t page, std::span<std::byte> out) const {
  std::vector<unsigned char> block(static_cast<size_t>(kFrameHead) + state_.page_size);
  read_log(log_, block.data(), block.size(), offset(frame));
  const Head found = parse(block.data());
  if (found.page != page) throw moved();
  check(found, block.data() + kFrameHead, sum_before(frame));
  std::memcpy(out.data(), block.data() + kFrameHead, state_.page_size);
}

}  // namespace dbackup::sqlite
