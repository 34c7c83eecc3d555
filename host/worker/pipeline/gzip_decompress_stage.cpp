#include <isa-l/igzip_lib.h>

#include <new>
#include <vector>

#include "worker/pipeline/compress_stage.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kOutSize = 256 * 1024;

class GzipDecompressor final : public Stage {
 public:
  explicit GzipDecompressor(SinkPtr next)
      : Stage{std::move(next)}, state_{std::make_unique<inflate_state>()}, out_(kOutSize) {
    isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_GZIP;
  }

  void write(Bytes bytes) override {
    // The library counts in 32 bits.
    constexpr size_t kSlice = 1 << 20;
    while (!bytes.empty()) {
      const size_t count = std::min(bytes.size(), kSlice);
      write_slice(bytes.first(count));
      bytes = bytes.subspan(count);
    }
  }

  void finish() override {
    if (in_member_ || !any_)
      throw Error{
          ErrorCode::DataLoss, "the gzip data ends too early: the file is cut", {}, "truncated"};
    next().finish();
  }

 private:
  void write_slice(Bytes bytes) {
    any_ = true;
    // The library only reads through this pointer; its type lacks the const.
    state_->next_in = const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(bytes.data()));
    state_->avail_in = static_cast<uint32_t>(bytes.size());
    bool more_output = false;
    while (state_->avail_in > 0 || more_output) {
      if (!in_member_) start_member();
      state_->next_out = reinterpret_cast<uint8_t*>(out_.data());
      state_->avail_out = static_cast<uint32_t>(out_.size());
      const int result = isal_inflate(state_.get());
      if (result != ISAL_DECOMP_OK && result != ISAL_END_INPUT) throw_damage(result);
      const size_t made = out_.size() - state_->avail_out;
      if (made > 0) next().write(Bytes{out_}.first(made));
      if (state_->block_state == ISAL_BLOCK_FINISH) in_member_ = false;
      more_output = in_member_ && state_->avail_out == 0;
    }
  }

  // Anything after a member is a further member, or damage: its wrapper is checked.
  void start_member() {
    uint8_t* const next_in = state_->next_in;
    const uint32_t avail_in = state_->avail_in;
    isal_inflate_reset(state_.get());
    state_->crc_flag = ISAL_GZIP;
    state_->next_in = next_in;
    state_->avail_in = avail_in;
    in_member_ = true;
  }

  [[noreturn]] static void throw_damage(int result) {
    throw Error{ErrorCode::DataLoss, "the gzip data is damaged",
                "isal_inflate: " + std::to_string(result), "damaged"};
  }

  std::unique_ptr<inflate_state> state_;
  std::vector<std::byte> out_;
  bool in_member_ = false;
  bool any_ = false;
};

}  // namespace

SinkPtr make_gzip_decompressor(SinkPtr next) {
  return std::make_unique<GzipDecompressor>(std::move(next));
}

}  // namespace dbackup::host
