#pragma once

#include <dbackup/call.hpp>

#include "server.hpp"

namespace dbackup::redis {

/// Asks the server for a full copy as a replica would, and writes the RDB file it sends: all of it
/// and nothing else. Returns only after the mark of its end and its checksum were right. The
/// connection is used up. Throws Error: PermissionDenied naming the rights, DataLoss, Unavailable.
void stream_snapshot(const Call& call, Client& client, const ServerInfo& info,
                     const std::string& user, Writer& out);

/// Follows the bytes of an RDB file as they pass: its first nine, its checksum, its last nine.
/// Layout:
///   "REDIS" vvvv or "VALKEY" vvv | opcodes and keys … | 0xFF | CRC-64 of all before, little endian
/// A checksum of 0 means that the server makes none (rdbchecksum no).
class RdbWatch {
 public:
  static constexpr size_t kHeadBytes = 9;
  static constexpr size_t kTailBytes = 9;

  /// Every byte but the last nine, in order. Throws Error{DataLoss} when it is no RDB file,
  /// {FailedPrecondition} when it is one without a checksum (before Redis 2.6).
  void body(std::string_view bytes);
  /// The last nine. Throws Error{DataLoss} when they do not end a whole file.
  void tail(std::string_view bytes) const;
  bool has_checksum(std::string_view tail) const noexcept;

 private:
  uint64_t crc_ = 0;
  std::string head_;
};

/// The version of an RDB file by its first nine bytes; nothing when it is none.
struct RdbHead {
  bool is_valkey = false;
  int version = 0;
};
std::optional<RdbHead> read_rdb_head(std::string_view nine) noexcept;

}  // namespace dbackup::redis
