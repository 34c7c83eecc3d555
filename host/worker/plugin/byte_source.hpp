#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "worker/pipeline/fan_out.hpp"

namespace dbackup::host {

/// Bytes that are pulled: at least one each time, 0 at the end, which is the permission to commit.
/// Throws Error when the stream failed.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual size_t read(std::span<std::byte> buffer) = 0;
  /// Whether the end has been handed out.
  virtual bool reached_end() const = 0;
};

class PipeSource final : public ByteSource {
 public:
  explicit PipeSource(PipeReader& reader) : reader_{reader} {}
  size_t read(std::span<std::byte> buffer) override { return reader_.read(buffer); }
  bool reached_end() const override { return reader_.reached_end(); }

 private:
  PipeReader& reader_;
};

/// A text that the caller keeps alive.
class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string_view text) : rest_{text} {}
  size_t read(std::span<std::byte> buffer) override {
    const size_t count = std::min(buffer.size(), rest_.size());
    if (count > 0) std::memcpy(buffer.data(), rest_.data(), count);
    rest_.remove_prefix(count);
    ended_ = count == 0 && !buffer.empty();
    return count;
  }
  bool reached_end() const override { return ended_; }

 private:
  std::string_view rest_;
  bool ended_ = false;
};

}  // namespace dbackup::host
