#pragma once

#include <dbackup/call.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dbackup::redis {

/// Reads the building stones of an RDB file from a stream: bytes, numbers, strings. Follows the
/// checksum, and can collect what it passes as it stands in the file. Memory: one block and what is
/// collected. Everything throws Error{DataLoss} at an early end or for what is no RDB.
class RdbInput {
 public:
  RdbInput(const Call& call, Reader& in) : call_{call}, in_{in} {}

  uint8_t byte();
  uint32_t le32();
  uint64_t le64();
  void skip(uint64_t count);
  std::string bytes(uint64_t count);

  /// A length, or the number of a special encoding of a string.
  struct Length {
    uint64_t value = 0;
    bool is_encoding = false;
  };
  Length any_length();
  /// A length that is one.
  uint64_t length();
  void skip_length() { static_cast<void>(length()); }
  void skip_string();
  /// A string as its reader sees it: numbers as text, compressed ones (LZF) unpacked.
  std::string string();

  /// From now on what is passed is appended to `into`; `most` bytes, more throw
  /// Error{ResourceExhausted}.
  void collect_into(std::string& into, uint64_t most);
  void stop_collecting();

  /// Of everything passed so far.
  uint64_t checksum();
  uint64_t position() const noexcept { return before_block_ + at_; }
  /// Has the stream ended here?
  bool at_end();

 private:
  void refill();
  void settle();
  bool fetch();

  Call call_;
  Reader& in_;
  std::vector<char> block_ = std::vector<char>(256 * 1024);
  size_t at_ = 0;
  size_t have_ = 0;
  size_t settled_ = 0;  ///< up to where checksum and collection have seen the block
  uint64_t before_block_ = 0;
  uint64_t crc_ = 0;
  std::string* into_ = nullptr;
  uint64_t most_ = 0;
};

/// Unpacks LZF to exactly `size` bytes; nothing when it is damaged.
std::optional<std::string> unpack_lzf(std::string_view packed, size_t size);

}  // namespace dbackup::redis
