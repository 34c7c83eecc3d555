#pragma once

#include <mutex>
#include <thread>

#include "worker/pipeline/block_ring.hpp"

namespace dbackup::host {

/// Runs what follows on a thread of its own, behind a bounded queue. write() returns once the bytes
/// are queued and throws what the thread met; finish() waits until all of it went through.
class AsyncStage final : public Stage {
 public:
  AsyncStage(SinkPtr next, const CancelToken& token, RingLimits limits = {.block_count = 4});
  ~AsyncStage() override;

  void write(Bytes bytes) override { ring_.write(bytes); }
  void finish() override;
  void abort(const Cause& cause) noexcept override;

 private:
  void pump() noexcept;

  BlockRing ring_;
  std::mutex failure_mutex_;
  Cause failure_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace dbackup::host
