#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

namespace dbackup::plugins::s3 {

/// One part's bytes. Mapped, so that memory nobody wrote to is not taken, and what is given back is
/// free.
class PartBuffer {
 public:
  PartBuffer() noexcept = default;
  /// Throws Error{ResourceExhausted}.
  explicit PartBuffer(size_t size);
  PartBuffer(PartBuffer&& other) noexcept;
  PartBuffer& operator=(PartBuffer&& other) noexcept;
  PartBuffer(const PartBuffer&) = delete;
  PartBuffer& operator=(const PartBuffer&) = delete;
  ~PartBuffer();

  std::span<std::byte> bytes() const noexcept { return {data_, size_}; }
  size_t size() const noexcept { return size_; }

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// Hands out buffers, never more than `most_bytes` of them at once. Any thread.
class PartMemory {
 public:
  explicit PartMemory(uint64_t most_bytes) : most_{most_bytes} {}

  /// Waits until there is room, calling `check` ten times a second, which may throw.
  PartBuffer take(size_t size, const std::function<void()>& check);
  void give_back(PartBuffer buffer) noexcept;

 private:
  const uint64_t most_;
  std::mutex mutex_;
  std::condition_variable room_;
  uint64_t mapped_ = 0;  // handed out and idle
  std::vector<PartBuffer> idle_;
};

}  // namespace dbackup::plugins::s3
