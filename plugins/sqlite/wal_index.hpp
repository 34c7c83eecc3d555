#pragma once

// SQLite's wal-index ("-shm") and write-ahead log ("-wal"), as https://sqlite.org/walformat.html
// has them.
//
//   -shm   0  WalIndexHdr, 48 bytes      -wal   0  magic 0x377f0682|3, version, page size,
//   sequence,
//         48  the same again                       salt[2], checksum[2]           (32 bytes,
//         big-endian) 96  nBackfill, read marks …           32  frames: page number, size after
//         commit, salt[2],
//                                                   checksum[2] (24 bytes), then one page

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "database.hpp"

namespace dbackup::sqlite {

using Salt = std::array<unsigned char, 8>;

/// What the log holds at one instant.
struct WalState {
  uint32_t page_size = 0;
  uint32_t last_frame = 0;  ///< of the last commit
  uint32_t pages = 0;       ///< of the database after that commit; 0 = ask the database file
  uint32_t backfilled = 0;  ///< frames that are in the database file already
  Salt salt{};

  /// Does the database file alone hold everything?
  bool in_file() const noexcept { return last_frame == 0 || backfilled == last_frame; }
};

/// Reads the shared index. Call it inside a read transaction of `database`. Throws Error{Aborted}
/// when it does not hold still, Error{FailedPrecondition} for another version of the format.
WalState read_wal_state(const Database& database);

/// Reads frames of the log and checks each against the state it belongs to.
class WalFrames {
 public:
  WalFrames(sqlite3_file* log, const WalState& state);

  /// Reads every frame once and checks the chain of checksums, salts and the last commit. Throws
  /// Error{Aborted} at the first frame that does not fit.
  void verify_all(const Call& call) const;

  /// For pages from..from+count-1 the newest frame that holds each, 0 for none. `out` has count
  /// items.
  void newest(uint32_t from, std::span<uint32_t> out, const Call& call) const;

  /// Reads the page in `frame`, which must be page `page`. Throws Error{Aborted} when it is not.
  void read_page(uint32_t frame, uint32_t page, std::span<std::byte> out) const;

 private:
  using Sum = std::array<uint32_t, 2>;
  struct Head {
    uint32_t page;
    uint32_t commit_size;
    Sum sum;
    std::array<unsigned char, 24> raw;
  };
  int64_t offset(uint32_t frame) const noexcept;
  Head head(uint32_t frame) const;
  Head parse(const unsigned char* raw) const;
  Sum sum_before(uint32_t frame) const;
  Sum add(Sum sum, const unsigned char* data, size_t size) const noexcept;
  void check(const Head& head, const unsigned char* page, Sum before) const;

  sqlite3_file* log_;
  WalState state_;
  bool big_endian_sums_ = false;
  Sum first_sum_{};
};

}  // namespace dbackup::sqlite
