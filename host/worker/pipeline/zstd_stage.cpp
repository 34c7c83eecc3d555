#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "worker/pipeline/compress_stage.hpp"

namespace dbackup::host {
namespace {

constexpr int kLevel = 3;
// Two jobs' worth of window: the default (8 MiB) makes the library keep some 40 MiB for two
// threads, this about a quarter, at less than half a percent of size.
constexpr int kJobSize = 2 << 20;
constexpr int kMaxWindowLog = 27;

template <auto Free>
struct Deleter {
  void operator()(auto* object) const noexcept { Free(object); }
};
using CCtx = std::unique_ptr<ZSTD_CCtx, Deleter<&ZSTD_freeCCtx>>;
using DCtx = std::unique_ptr<ZSTD_DCtx, Deleter<&ZSTD_freeDCtx>>;

[[noreturn]] void throw_compressor_error(size_t result) {
  const bool memory = ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation;
  throw Error{memory ? ErrorCode::ResourceExhausted : ErrorCode::Internal,
              "zstd could not compress", ZSTD_getErrorName(result)};
}

class ZstdCompressor final : public Stage {
 public:
  ZstdCompressor(SinkPtr next, CompressLimits limits)
      : Stage{std::move(next)}, context_{ZSTD_createCCtx()}, out_(ZSTD_CStreamOutSize()) {
    if (!context_) throw std::bad_alloc{};
    set(ZSTD_c_compressionLevel, kLevel);
    set(ZSTD_c_checksumFlag, 1);
    set(ZSTD_c_nbWorkers, static_cast<int>(compress_threads(limits)));
    set(ZSTD_c_jobSize, kJobSize);
  }

  void write(Bytes bytes) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    while (in.pos < in.size) step(in, ZSTD_e_continue);
  }

  void finish() override {
    ZSTD_inBuffer in{nullptr, 0, 0};
    while (step(in, ZSTD_e_end) != 0) {
    }
    next().finish();
  }

 private:
  void set(ZSTD_cParameter parameter, int value) {
    const size_t result = ZSTD_CCtx_setParameter(context_.get(), parameter, value);
    if (ZSTD_isError(result)) throw_compressor_error(result);
  }

  size_t step(ZSTD_inBuffer& in, ZSTD_EndDirective directive) {
    ZSTD_outBuffer out{out_.data(), out_.size(), 0};
    const size_t left = ZSTD_compressStream2(context_.get(), &out, &in, directive);
    if (ZSTD_isError(left)) throw_compressor_error(left);
    if (out.pos > 0) next().write(Bytes{out_}.first(out.pos));
    return left;
  }

  CCtx context_;
  std::vector<std::byte> out_;
};

class ZstdDecompressor final : public Stage {
 public:
  explicit ZstdDecompressor(SinkPtr next)
      : Stage{std::move(next)}, context_{ZSTD_createDCtx()}, out_(ZSTD_DStreamOutSize()) {
    if (!context_) throw std::bad_alloc{};
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  }

  void write(Bytes bytes) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    // A full output may leave more to come although all input was taken.
    bool more = true;
    while (in.pos < in.size || more) {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      const size_t result = ZSTD_decompressStream(context_.get(), &out, &in);
      if (ZSTD_isError(result)) throw_damage(result);
      frame_open_ = result != 0;
      more = out.pos == out.size && frame_open_;
      if (out.pos > 0) next().write(Bytes{out_}.first(out.pos));
    }
    any_ = any_ || !bytes.empty();
  }

  void finish() override {
    if (frame_open_ || !any_)
      throw Error{
          ErrorCode::DataLoss, "the zstd data ends too early: the file is cut", {}, "truncated"};
    next().finish();
  }

 private:
  [[noreturn]] static void throw_damage(size_t result) {
    if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge)
      throw Error{
          ErrorCode::ResourceExhausted, "the zstd data needs a window above 128 MiB", {}, "window"};
    if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) throw std::bad_alloc{};
    throw Error{ErrorCode::DataLoss, "the zstd data is damaged", ZSTD_getErrorName(result),
                "damaged"};
  }

  DCtx context_;
  std::vector<std::byte> out_;
  bool frame_open_ = false;
  bool any_ = false;
};

}  // namespace

unsigned compress_threads(CompressLimits limits) {
  return limits.threads > 0 ? limits.threads
                            : std::clamp(std::thread::hardware_concurrency(), 1U, 4U);
}

SinkPtr make_zstd_compressor(SinkPtr next, CompressLimits limits) {
  return std::make_unique<ZstdCompressor>(std::move(next), limits);
}

SinkPtr make_zstd_decompressor(SinkPtr next) {
  return std::make_unique<ZstdDecompressor>(std::move(next));
}

}  // namespace dbackup::host
