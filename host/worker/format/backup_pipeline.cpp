#include "worker/format/backup_pipeline.hpp"

#include "worker/format/codec.hpp"
#include "worker/pipeline/async_stage.hpp"
#include "worker/pipeline/seal_stage.hpp"

namespace dbackup::host {

BackupPipeline::BackupPipeline(const BackupPipelineOptions& options, const CancelToken& token) {
  FanOut fan_out = FanOut::open(options.destinations, token, options.queue);
  readers_ = std::move(fan_out.readers);
  SinkPtr chain = std::make_unique<HashStage>(std::move(fan_out.writer), stored_);
  if (!options.recipients.empty()) chain = make_seal_stage(std::move(chain), options.recipients);
  chain = std::make_unique<AsyncStage>(std::move(chain), token);
  chain = codec(options.compression).compressor(std::move(chain), options.limits);
  chain = std::make_unique<CountStage>(std::move(chain), plain_);
  input_ = std::make_unique<GuardedChain>(std::move(chain), token);
}

}  // namespace dbackup::host
