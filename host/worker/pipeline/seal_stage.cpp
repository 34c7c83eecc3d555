#include "worker/pipeline/seal_stage.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "crypto/age_stream.hpp"

namespace dbackup::host {
namespace {

// Chunks are sealed straight into one output block, several at a time, so that the hash and the
// queue behind are called rarely.
constexpr size_t kChunksPerWrite = 4;

class SealStage final : public Stage {
 public:
  SealStage(SinkPtr next, const std::vector<AgeRecipient>& recipients)
      : Stage{std::move(next)}, sealer_{recipients} {}

  void write(Bytes bytes) override {
    start();
    // A full chunk is sealed only when more follows: only then it is not the last one.
    while (!bytes.empty()) {
      if (held_ == kAgeChunkSize) {
        seal({pending_.data(), held_}, false);
        held_ = 0;
      }
      if (held_ == 0) {
        while (bytes.size() > kAgeChunkSize) {
          seal(bytes.first(kAgeChunkSize), false);
          bytes = bytes.subspan(kAgeChunkSize);
        }
      }
      const size_t count = std::min(bytes.size(), kAgeChunkSize - held_);
      std::memcpy(pending_.data() + held_, bytes.data(), count);
      held_ += count;
      bytes = bytes.subspan(count);
    }
  }

  void finish() override {
    start();
    seal({pending_.data(), held_}, true);
    flush();
    next().finish();
  }

 private:
  void start() {
    if (started_) return;
    started_ = true;
    next().write(std::as_bytes(std::span{sealer_.header()}));
  }

  void seal(Bytes plain, bool last) {
    const size_t size = plain.size() + kAgeTagSize;
    if (out_.size() - filled_ < size) flush();
    sealer_.payload_key().seal_chunk(index_++, last, plain, std::span{out_}.subspan(filled_, size));
    filled_ += size;
  }

  void flush() {
    next().write(Bytes{out_}.first(filled_));
    filled_ = 0;
  }

  AgeSealer sealer_;
  std::vector<std::byte> pending_ = std::vector<std::byte>(kAgeChunkSize);
  size_t held_ = 0;
  std::vector<std::byte> out_ = std::vector<std::byte>(kChunksPerWrite * kAgeStoredChunkSize);
  size_t filled_ = 0;
  uint64_t index_ = 0;
  bool started_ = false;
};

class UnsealStage final : public Stage {
 public:
  UnsealStage(SinkPtr next, const std::vector<AgeIdentity>& identities)
      : Stage{std::move(next)}, opener_{identities} {}

  void write(Bytes bytes) override {
    // In slices, so that the opened bytes never need more than one slice of memory.
    while (!bytes.empty()) {
      const size_t count = std::min(bytes.size(), kChunksPerWrite * kAgeStoredChunkSize);
      opener_.update(bytes.first(count), plain_);
      bytes = bytes.subspan(count);
      pass_on();
    }
  }

  void finish() override {
    opener_.finish(plain_);
    pass_on();
    next().finish();
  }

 private:
  void pass_on() {
    if (!plain_.empty()) next().write(plain_);
    plain_.clear();
  }

  AgeOpener opener_;
  std::vector<std::byte> plain_;
};

}  // namespace

SinkPtr make_seal_stage(SinkPtr next, const std::vector<AgeRecipient>& recipients) {
  return std::make_unique<SealStage>(std::move(next), recipients);
}

SinkPtr make_unseal_stage(SinkPtr next, const std::vector<AgeIdentity>& identities) {
  return std::make_unique<UnsealStage>(std::move(next), identities);
}

}  // namespace dbackup::host
