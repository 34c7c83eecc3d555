#include "worker/format/stored_reader.hpp"

#include "worker/format/codec.hpp"
#include "worker/pipeline/async_stage.hpp"
#include "worker/pipeline/seal_stage.hpp"

namespace dbackup::host {
namespace {

SinkPtr with_opening(const StoredFormat& format, SinkPtr last) {
  if (!format.compression) return make_detecting_decompressor(std::move(last));
  return codec(*format.compression).decompressor(std::move(last));
}

SinkPtr with_checks(const StoredFormat& format, SinkPtr chain,
                    std::shared_ptr<StreamTally> stored) {
  if (format.sealed) chain = make_unseal_stage(std::move(chain), format.identities);
  if (!stored) {
    if (!format.expected_sha256) return chain;
    stored = std::make_shared<StreamTally>();
  }
  return std::make_unique<HashStage>(std::move(chain), std::move(stored), format.expected_sha256);
}

}  // namespace

std::unique_ptr<GuardedChain> make_stored_chain(const StoredFormat& format,
                                                const CancelToken& token, SinkPtr last,
                                                std::shared_ptr<StreamTally> stored,
                                                std::shared_ptr<StreamTally> opened) {
  if (opened) last = std::make_unique<CountStage>(std::move(last), std::move(opened));
  SinkPtr chain = with_checks(format, with_opening(format, std::move(last)), std::move(stored));
  return std::make_unique<GuardedChain>(std::move(chain), token);
}

RestorePipeline::RestorePipeline(const StoredFormat& format, const CancelToken& token,
                                 RingLimits queue) {
  BoundedPipe pipe = BoundedPipe::open(token, queue);
  reader_.emplace(std::move(pipe.reader));
  SinkPtr chain = std::make_unique<CountStage>(std::move(pipe.writer), opened_);
  chain = std::make_unique<AsyncStage>(with_opening(format, std::move(chain)), token);
  if (format.expected_sha256) {
    chain = with_checks(format, std::move(chain), stored_);
  } else {
    // A sealed stream is authenticated anyway: hashing it would cost without telling anything.
    chain = with_checks(format, std::move(chain), nullptr);
    chain = std::make_unique<CountStage>(std::move(chain), stored_);
  }
  input_ = std::make_unique<GuardedChain>(std::move(chain), token);
}

}  // namespace dbackup::host
