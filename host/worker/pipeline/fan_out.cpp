#include "worker/pipeline/fan_out.hpp"

#include <algorithm>
#include <cstring>

#include "worker/pipeline/block_ring.hpp"

namespace dbackup::host {
namespace {

class RingSink final : public ByteSink {
 public:
  explicit RingSink(std::shared_ptr<BlockRing> ring) : ring_{std::move(ring)} {}
  ~RingSink() override {
    static const Cause unfinished =
        make_cause(Error{ErrorCode::Aborted, "the stream ended without being finished"});
    ring_->abort(unfinished);
  }

  void write(Bytes bytes) override { ring_->write(bytes); }
  void finish() override { ring_->finish(); }
  void abort(const Cause& cause) noexcept override { ring_->abort(cause); }

 private:
  std::shared_ptr<BlockRing> ring_;
};

}  // namespace

PipeReader::PipeReader(std::shared_ptr<BlockRing> ring, size_t index)
    : ring_{std::move(ring)}, index_{index} {}

PipeReader::~PipeReader() {
  static const Cause gone =
      make_cause(Error{ErrorCode::Aborted, "the consumer stopped reading before the end"});
  if (ring_) ring_->drop(index_, gone);
}

size_t PipeReader::read(std::span<std::byte> buffer) {
  const Bytes bytes = peek();
  const size_t count = std::min(bytes.size(), buffer.size());
  if (count == 0) return 0;
  std::memcpy(buffer.data(), bytes.data(), count);
  consume(count);
  return count;
}

Bytes PipeReader::peek() { return ring_->peek(index_); }
void PipeReader::consume(size_t count) { ring_->consume(index_, count); }
bool PipeReader::reached_end() const { return ring_->reached_end(index_); }
void PipeReader::fail(const Cause& cause) noexcept { ring_->drop(index_, cause); }

Cause PipeReader::failure() const { return ring_->failure(index_); }

FanOut FanOut::open(size_t reader_count, const CancelToken& token, RingLimits limits) {
  auto ring = std::make_shared<BlockRing>(reader_count, token, limits);
  FanOut result;
  result.writer = std::make_unique<RingSink>(ring);
  result.readers.reserve(reader_count);
  for (size_t i = 0; i < reader_count; ++i) result.readers.emplace_back(ring, i);
  return result;
}

BoundedPipe BoundedPipe::open(const CancelToken& token, RingLimits limits) {
  auto ring = std::make_shared<BlockRing>(1, token, limits);
  return {.writer = std::make_unique<RingSink>(ring), .reader = PipeReader{ring, 0}};
}

}  // namespace dbackup::host
