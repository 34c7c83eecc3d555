#include <brotli/decode.h>
#include <brotli/encode.h>

#include <new>
#include <vector>

#include "worker/pipeline/compress_stage.hpp"

namespace dbackup::host {
namespace {

constexpr uint32_t kQuality = 5;
constexpr uint32_t kWindowLog = 20;
constexpr size_t kOutSize = 128 * 1024;

template <auto Free>
struct Deleter {
  void operator()(auto* object) const noexcept { Free(object); }
};
using Encoder = std::unique_ptr<BrotliEncoderState, Deleter<&BrotliEncoderDestroyInstance>>;
using Decoder = std::unique_ptr<BrotliDecoderState, Deleter<&BrotliDecoderDestroyInstance>>;

const uint8_t* u8(const std::byte* bytes) { return reinterpret_cast<const uint8_t*>(bytes); }
uint8_t* u8(std::byte* bytes) { return reinterpret_cast<uint8_t*>(bytes); }

class BrotliCompressor final : public Stage {
 public:
  explicit BrotliCompressor(SinkPtr next)
      : Stage{std::move(next)},
        encoder_{BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)},
        out_(kOutSize) {
    if (!encoder_) throw std::bad_alloc{};
    BrotliEncoderSetParameter(encoder_.get(), BROTLI_PARAM_QUALITY, kQuality);
    BrotliEncoderSetParameter(encoder_.get(), BROTLI_PARAM_LGWIN, kWindowLog);
  }

  void write(Bytes bytes) override { run(bytes, BROTLI_OPERATION_PROCESS); }

  void finish() override {
    run({}, BROTLI_OPERATION_FINISH);
    next().finish();
  }

 private:
  void run(Bytes bytes, BrotliEncoderOperation operation) {
    size_t in_left = bytes.size();
    const uint8_t* in = u8(bytes.data());
    do {
      size_t out_left = out_.size();
      uint8_t* out = u8(out_.data());
      if (!BrotliEncoderCompressStream(encoder_.get(), operation, &in_left, &in, &out_left, &out,
                                       nullptr))
        throw Error{ErrorCode::Internal, "brotli could not compress"};
      if (out_left < out_.size()) next().write(Bytes{out_}.first(out_.size() - out_left));
    } while (in_left > 0 || BrotliEncoderHasMoreOutput(encoder_.get()) ||
             (operation == BROTLI_OPERATION_FINISH && !BrotliEncoderIsFinished(encoder_.get())));
  }

  Encoder encoder_;
  std::vector<std::byte> out_;
};

class BrotliDecompressor final : public Stage {
 public:
  explicit BrotliDecompressor(SinkPtr next)
      : Stage{std::move(next)},
        decoder_{BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)},
        out_(kOutSize) {
    if (!decoder_) throw std::bad_alloc{};
  }

  void write(Bytes bytes) override {
    size_t in_left = bytes.size();
    const uint8_t* in = u8(bytes.data());
    bool more = in_left > 0;
    while (more) {
      if (ended_)
        throw Error{
            ErrorCode::DataLoss, "the brotli data is followed by something else", {}, "trailing"};
      size_t out_left = out_.size();
      uint8_t* out = u8(out_.data());
      const BrotliDecoderResult result =
          BrotliDecoderDecompressStream(decoder_.get(), &in_left, &in, &out_left, &out, nullptr);
      if (result == BROTLI_DECODER_RESULT_ERROR) throw_damage();
      if (out_left < out_.size()) next().write(Bytes{out_}.first(out_.size() - out_left));
      ended_ = result == BROTLI_DECODER_RESULT_SUCCESS;
      more = in_left > 0 || result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    }
  }

  void finish() override {
    if (!ended_)
      throw Error{
          ErrorCode::DataLoss, "the brotli data ends too early: the file is cut", {}, "truncated"};
    next().finish();
  }

 private:
  [[noreturn]] void throw_damage() const {
    const BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(decoder_.get());
    // The library numbers its allocation failures from -21 to -30.
    if (code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
        code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
      throw std::bad_alloc{};
    throw Error{ErrorCode::DataLoss, "the brotli data is damaged", BrotliDecoderErrorString(code),
                "damaged"};
  }

  Decoder decoder_;
  std::vector<std::byte> out_;
  bool ended_ = false;
};

}  // namespace

SinkPtr make_brotli_compressor(SinkPtr next) {
  return std::make_unique<BrotliCompressor>(std::move(next));
}
SinkPtr make_brotli_decompressor(SinkPtr next) {
  return std::make_unique<BrotliDecompressor>(std::move(next));
}

}  // namespace dbackup::host
