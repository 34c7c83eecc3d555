#include "worker/format/codec.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace dbackup::host {
namespace {

constexpr size_t kMagicSize = 4;

constexpr Codec kCodecs[] = {
    {Compression::None, [](SinkPtr next, CompressLimits) { return next; },
     [](SinkPtr next) { return next; }},
    {Compression::Gzip, &make_gzip_compressor, &make_gzip_decompressor},
    {Compression::Brotli,
     [](SinkPtr next, CompressLimits) { return make_brotli_compressor(std::move(next)); },
     &make_brotli_decompressor},
    {Compression::Zstd, &make_zstd_compressor, &make_zstd_decompressor},
};

// Holds the first bytes back until they tell what they are.
class DetectStage final : public ByteSink {
 public:
  DetectStage(SinkPtr next, Compression otherwise)
      : borrowed_{std::move(next)}, otherwise_{otherwise} {}

  void write(Bytes bytes) override {
    if (!decoder_) {
      const size_t count = std::min(bytes.size(), kMagicSize - held_);
      std::memcpy(head_.data() + held_, bytes.data(), count);
      held_ += count;
      bytes = bytes.subspan(count);
      if (held_ < kMagicSize) return;
      decide();
    }
    if (!bytes.empty()) decoder_->write(bytes);
  }

  void finish() override {
    if (!decoder_) decide();
    decoder_->finish();
  }

  // Straight to what follows: the decoder may be coming into being on the writing thread.
  void abort(const Cause& cause) noexcept override { borrowed_->abort(cause); }

 private:
  void decide() {
    const Bytes head{head_.data(), held_};
    decoder_ = codec(detect_compression(head).value_or(otherwise_))
                   .decompressor(std::make_unique<BorrowedSink>(*borrowed_));
    if (held_ > 0) decoder_->write(head);
  }

  SinkPtr borrowed_;  // declared first: outlives the decoder that writes to it
  SinkPtr decoder_;
  Compression otherwise_;
  std::array<std::byte, kMagicSize> head_{};
  size_t held_ = 0;
};

}  // namespace

std::span<const Codec> codecs() noexcept { return kCodecs; }

const Codec& codec(Compression compression) {
  for (const Codec& row : kCodecs)
    if (row.compression == compression) return row;
  throw Error{ErrorCode::Internal, "unknown compression"};
}

std::optional<Compression> detect_compression(Bytes head) noexcept {
  constexpr unsigned char kZstd[] = {0x28, 0xb5, 0x2f, 0xfd};
  constexpr unsigned char kGzip[] = {0x1f, 0x8b, 0x08};
  const auto starts_with = [head](std::span<const unsigned char> magic) {
    return head.size() >= magic.size() && std::memcmp(head.data(), magic.data(), magic.size()) == 0;
  };
  if (starts_with(kZstd)) return Compression::Zstd;
  if (starts_with(kGzip)) return Compression::Gzip;
  return std::nullopt;
}

SinkPtr make_detecting_decompressor(SinkPtr next, Compression otherwise) {
  return std::make_unique<DetectStage>(std::move(next), otherwise);
}

}  // namespace dbackup::host
