#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "worker/pipeline/cancel_token.hpp"
#include "worker/pipeline/stage.hpp"

namespace dbackup::host {

class BlockRing;

/// The bound of a queue: at most `block_count` blocks of `block_size` bytes exist, allocated as
/// they are first needed and used in turn. Both at least 1; 2 blocks are needed for the ends to
/// overlap.
struct RingLimits {
  size_t block_size = 256 * 1024;
  size_t block_count = 8;
};

/// The pulling end of a queue, for one thread. Destroyed early it counts as failed.
class PipeReader {
 public:
  PipeReader(std::shared_ptr<BlockRing> ring, size_t index);
  PipeReader(PipeReader&&) noexcept = default;
  PipeReader& operator=(PipeReader&&) = delete;
  ~PipeReader();

  /// At least one byte, or 0 at the end of file, which is the permission to commit. Blocks. Throws
  /// the cause when the stream was aborted or cancelled, even if bytes are still queued.
  size_t read(std::span<std::byte> buffer);

  /// The same without a copy: the bytes at hand, empty at the end of file. Valid until consume().
  Bytes peek();
  void consume(size_t count);

  /// True once the end of file was handed out. A consumer that reports success without it did not
  /// read everything and must be treated as failed.
  bool reached_end() const;

  /// This consumer is out; the others go on. When it was the last, the writer gets the cause. [any
  /// thread]
  void fail(const Cause& cause) noexcept;
  void fail(const Error& cause) noexcept { fail(make_cause(cause)); }
  /// Why this consumer is out; null while it is not.
  Cause failure() const;

 private:
  std::shared_ptr<BlockRing> ring_;
  size_t index_;
};

/// One stream to several consumers, each pulling at its own pace in its own thread. The queues
/// share their blocks: nothing is copied per consumer, and the slowest one that has not failed sets
/// the pace.
struct FanOut {
  SinkPtr writer;
  std::vector<PipeReader> readers;

  static FanOut open(size_t reader_count, const CancelToken& token, RingLimits limits = {});
};

/// A bounded queue between a pushing and a pulling thread: a fan-out with one reader.
struct BoundedPipe {
  SinkPtr writer;
  PipeReader reader;

  static BoundedPipe open(const CancelToken& token, RingLimits limits = {});
};

}  // namespace dbackup::host
