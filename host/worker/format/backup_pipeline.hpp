#pragma once

#include <memory>
#include <string>
#include <vector>

#include "crypto/age_keys.hpp"
#include "model/compression.hpp"
#include "worker/pipeline/cancel_token.hpp"
#include "worker/pipeline/compress_stage.hpp"
#include "worker/pipeline/fan_out.hpp"
#include "worker/pipeline/guarded_chain.hpp"
#include "worker/pipeline/hash_stage.hpp"

namespace dbackup::host {

struct BackupPipelineOptions {
  Compression compression = Compression::Zstd;
  CompressLimits limits;
  /// age recipients; none: the backup is not sealed.
  std::vector<AgeRecipient> recipients;
  /// Consumers, one queue each; at least 1.
  size_t destinations = 1;
  RingLimits queue;
};

/// One dump on its way to all destinations:
///
///   write() → count → compress (threads) → queue → [ seal → hash ] (a thread) → queue →
///   destination 0
///                                                                                    ↘ destination
///                                                                                    1 …
///
/// The dumping thread calls write() and, only after dump() returned OK, finish(); each destination
/// is read by a thread of its own. The first error of any part reaches every other one with its
/// cause. Threads that read must have returned before this is destroyed.
class BackupPipeline final {
 public:
  /// Throws Error{InvalidArgument} when a recipient cannot be used.
  BackupPipeline(const BackupPipelineOptions& options, const CancelToken& token);

  /// Where the dump goes: write(), then finish() or abort(); cause() tells what ended it early.
  GuardedChain& input() noexcept { return *input_; }

  /// Destination `index`; its end of file is the permission to commit. A destination that fails
  /// calls fail() on it; the others go on, and when it was the last, the input's write() throws its
  /// cause.
  PipeReader& destination(size_t index) { return readers_.at(index); }

  /// Bytes of the dump before compression so far. [any thread]
  uint64_t plain_size() const noexcept { return plain_->bytes.load(std::memory_order_relaxed); }
  /// Bytes as stored so far. [any thread]
  uint64_t stored_size() const noexcept { return stored_->bytes.load(std::memory_order_relaxed); }
  /// SHA-256 of the stored bytes, hexadecimal; valid after finish() or a destination's end of file.
  const std::string& stored_sha256() const noexcept { return stored_->sha256; }

 private:
  std::shared_ptr<StreamTally> plain_ = std::make_shared<StreamTally>();
  std::shared_ptr<StreamTally> stored_ = std::make_shared<StreamTally>();
  std::vector<PipeReader> readers_;
  std::unique_ptr<GuardedChain> input_;
};

}  // namespace dbackup::host
