#pragma once

#include <cstdint>
#include <dbackup/error.hpp>
#include <string>
#include <string_view>

// The packets of SFTP version 3, as draft-ietf-secsh-filexfer-02 gives them:
//
//   uint32 length | byte type | uint32 id (except INIT and VERSION) | fields
//
// Numbers are big-endian; a string is uint32 length and bytes.

namespace dbackup::sftp {

enum class Type : uint8_t {
  Init = 1,
  Version = 2,
  Open = 3,
  Close = 4,
  Read = 5,
  Write = 6,
  Lstat = 7,
  Fstat = 8,
  OpenDir = 11,
  ReadDir = 12,
  Remove = 13,
  MakeDir = 14,
  RemoveDir = 15,
  RealPath = 16,
  Stat = 17,
  Rename = 18,
  Status = 101,
  Handle = 102,
  Data = 103,
  Name = 104,
  Attributes = 105,
  Extended = 200,
  ExtendedReply = 201,
};

/// Codes of a STATUS packet (section 7).
enum class Code : uint32_t {
  Ok = 0,
  Eof = 1,
  NoSuchFile = 2,
  PermissionDenied = 3,
  Failure = 4,
  BadMessage = 5,
  NoConnection = 6,
  ConnectionLost = 7,
  Unsupported = 8,
};

inline constexpr uint32_t kOpenRead = 0x01;
inline constexpr uint32_t kOpenWrite = 0x02;
inline constexpr uint32_t kOpenCreate = 0x08;
inline constexpr uint32_t kOpenExclusive = 0x20;

inline constexpr uint32_t kAttrSize = 0x01;
inline constexpr uint32_t kAttrOwner = 0x02;
inline constexpr uint32_t kAttrPermissions = 0x04;
inline constexpr uint32_t kAttrTimes = 0x08;
inline constexpr uint32_t kAttrExtended = 0x80000000;

/// Builds one packet; its length is filled in by take().
class Packet {
 public:
  explicit Packet(Type type) : bytes_(4, '\0') { bytes_ += static_cast<char>(type); }
  Packet(Type type, uint32_t id) : Packet(type) { u32(id); }

  Packet& u32(uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes_ += static_cast<char>(value >> shift);
    return *this;
  }
  Packet& u64(uint64_t value) {
    return u32(static_cast<uint32_t>(value >> 32U)).u32(static_cast<uint32_t>(value));
  }
  Packet& text(std::string_view value) {
    u32(static_cast<uint32_t>(value.size()));
    bytes_ += value;
    return *this;
  }
  /// The packet, ready to be sent; `more` bytes follow that are not in it.
  std::string take(size_t more = 0) {
    const auto length = static_cast<uint32_t>(bytes_.size() - 4 + more);
    for (size_t i = 0; i < 4; ++i) bytes_[i] = static_cast<char>(length >> (24 - 8 * i));
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

/// Reads the fields of one packet. Throws Error{Unavailable} when it ends too soon: what comes
/// after a broken packet cannot be trusted either.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : left_{bytes} {}

  uint8_t u8() { return static_cast<uint8_t>(take(1)[0]); }
  uint32_t u32() {
    uint32_t value = 0;
    for (const char c : take(4)) value = value << 8U | static_cast<uint8_t>(c);
    return value;
  }
  uint64_t u64() {
    const uint64_t high = u32();
    return high << 32U | u32();
  }
  std::string_view text() { return take(u32()); }
  bool empty() const noexcept { return left_.empty(); }

 private:
  std::string_view take(size_t size) {
    if (size > left_.size()) {
      throw Error{ErrorCode::Unavailable, "the SFTP server sent a broken packet"};
    }
    const std::string_view out = left_.substr(0, size);
    left_.remove_prefix(size);
    return out;
  }

  std::string_view left_;
};

/// The attributes of a file (section 5) as far as they are used here.
struct Attributes {
  uint32_t flags = 0;
  uint64_t size = 0;
  uint32_t permissions = 0;  ///< with the type of the file in the bits of S_IFMT
  uint32_t modified = 0;     ///< seconds since 1970

  static Attributes read(Fields& in) {
    Attributes out;
    out.flags = in.u32();
    if ((out.flags & kAttrSize) != 0) out.size = in.u64();
    if ((out.flags & kAttrOwner) != 0) in.u64();
    if ((out.flags & kAttrPermissions) != 0) out.permissions = in.u32();
    if ((out.flags & kAttrTimes) != 0) {
      in.u32();  // time of last access
      out.modified = in.u32();
    }
    if ((out.flags & kAttrExtended) != 0) {
      for (uint32_t count = in.u32(); count > 0; --count) {
        in.text();
        in.text();
      }
    }
    return out;
  }
};

}  // namespace dbackup::sftp
