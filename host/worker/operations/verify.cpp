#include "worker/operations/operations.hpp"
#include "worker/operations/stored_file.hpp"
#include "worker/pipeline/async_stage.hpp"

namespace dbackup::host {
namespace {

/// Reports how far a transfer is.
class ProgressStage final : public Stage {
 public:
  ProgressStage(SinkPtr next, Journal& journal, uint64_t total)
      : Stage{std::move(next)}, journal_{journal}, total_{total} {}
  void write(Bytes bytes) override {
    next().write(bytes);
    done_ += bytes.size();
    journal_.progress(done_, total_);
  }
  void finish() override { next().finish(); }

 private:
  Journal& journal_;
  uint64_t total_;
  uint64_t done_ = 0;
};

}  // namespace

Json verify(const protocol::PathRequest& request, OperationContext& context) {
  StorageProxy storage{request.adapter, context.events, context.cancel};
  const StoredObject object = require_object(storage, request.path);
  const auto tally = std::make_shared<StreamTally>();
  // The plugin reads the next block while this one is hashed.
  SinkPtr sink = std::make_unique<HashStage>(std::make_unique<NullSink>(), tally);
  sink = std::make_unique<AsyncStage>(std::move(sink), context.cancel);
  ProgressStage chain{std::move(sink), context.events, object.size};
  pull_whole(storage, object, chain);
  return {{"sha256", tally->sha256}, {"size", object.size}};
}

}  // namespace dbackup::host
