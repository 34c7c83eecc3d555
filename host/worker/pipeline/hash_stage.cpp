#include "worker/pipeline/hash_stage.hpp"

#include "crypto/hash.hpp"

namespace dbackup::host {
namespace {

void add(StreamTally& tally, size_t count) {
  // One writer: no need for an atomic addition.
  tally.bytes.store(tally.bytes.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
}

}  // namespace

CountStage::CountStage(SinkPtr next, std::shared_ptr<StreamTally> tally)
    : Stage{std::move(next)}, tally_{std::move(tally)} {}

void CountStage::write(Bytes bytes) {
  next().write(bytes);
  add(*tally_, bytes.size());
}

struct HashStage::Hasher {
  Sha256 sha256;
};

HashStage::HashStage(SinkPtr next, std::shared_ptr<StreamTally> tally,
                     std::optional<std::string> expected_sha256)
    : Stage{std::move(next)},
      hasher_{std::make_unique<Hasher>()},
      tally_{std::move(tally)},
      expected_{std::move(expected_sha256)} {}

HashStage::~HashStage() = default;

void HashStage::write(Bytes bytes) {
  hasher_->sha256.update(bytes);
  next().write(bytes);
  add(*tally_, bytes.size());
}

void HashStage::finish() {
  tally_->sha256 = hasher_->sha256.finish_hex();
  if (expected_ && *expected_ != tally_->sha256)
    throw Error{ErrorCode::DataLoss, "checksum mismatch: the stored file is damaged",
                "expected " + *expected_ + ", found " + tally_->sha256, "checksum"};
  next().finish();
}

}  // namespace dbackup::host
