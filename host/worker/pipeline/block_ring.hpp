#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "worker/pipeline/cancel_token.hpp"
#include "worker/pipeline/fan_out.hpp"

namespace dbackup::host {

/// The queue below FanOut and BoundedPipe: a ring of blocks, one writer, several readers.
///
///   next of the slowest reader        next of the fastest      published
///            |------------ blocks somebody still needs ------------|-- being filled --|-- free …
///
/// The block after the published ones may be filled once every reader that is not out has left the
/// block that lay there before, so memory never exceeds the limits whatever the readers do.
class BlockRing {
 public:
  BlockRing(size_t reader_count, const CancelToken& token, RingLimits limits);

  // The writer's side; one thread, except abort().
  void write(Bytes bytes);
  void finish();
  void abort(const Cause& cause) noexcept;  // [any thread]

  // A reader's side; one thread for each index, except drop().
  Bytes peek(size_t reader);
  void consume(size_t reader, size_t count);
  void drop(size_t reader, const Cause& cause) noexcept;  // [any thread]
  bool reached_end(size_t reader) const;
  Cause failure(size_t reader) const;

  /// Blocks ever allocated: never more than the limit.
  size_t allocated_blocks() const;

 private:
  struct Block {
    std::unique_ptr<std::byte[]> data;
    size_t size = 0;
  };
  struct Reader {
    uint64_t next = 0;  // the block it reads
    size_t offset = 0;  // within that block
    bool at_end = false;
    Cause failure;
  };

  void wait_for_free_block(std::unique_lock<std::mutex>& lock);
  void publish(std::unique_lock<std::mutex>& lock);
  bool block_is_free() const;
  Cause stopped_for_writer() const;
  Block& block(uint64_t number) { return blocks_[number % blocks_.size()]; }

  const RingLimits limits_;
  const CancelToken token_;
  mutable std::mutex mutex_;
  std::condition_variable readable_;
  std::condition_variable writable_;
  std::vector<Block> blocks_;
  std::vector<Reader> readers_;
  uint64_t published_ = 0;
  size_t allocated_ = 0;
  size_t fill_ = 0;               // bytes in the block being filled; the writer's own
  std::byte* filling_ = nullptr;  // null until the block is known to be free; the writer's own
  bool finished_ = false;
  Cause aborted_;
  Cause first_failure_;  // of the readers
  // Last: its callback locks the mutex, and its destructor waits for a running callback.
  std::optional<std::stop_callback<std::function<void()>>> on_cancel_;
};

}  // namespace dbackup::host
