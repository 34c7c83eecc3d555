#include <algorithm>

#include "crypto/age_range.hpp"
#include "crypto/age_stream.hpp"
#include "worker/format/stored_reader.hpp"

namespace dbackup::host {
namespace {

// Enough for a dozen recipients; a longer header is fetched in further steps.
constexpr uint64_t kFirstFetch = 4096;

// Feeds an opener until it knows the header.
class HeaderSink final : public ByteSink {
 public:
  explicit HeaderSink(AgeOpener& opener) : opener_{opener} {}
  void write(Bytes bytes) override {
    fetched += bytes.size();
    opener_.update(bytes, discarded_);
    discarded_.clear();
  }
  void finish() override {}
  void abort(const Cause&) noexcept override {}

  uint64_t fetched = 0;

 private:
  AgeOpener& opener_;
  std::vector<std::byte> discarded_;
};

// Opens the chunks of a range and passes the wanted bytes on.
class RangeSink final : public ByteSink {
 public:
  RangeSink(const AgePayloadKey& key, const AgeStoredRange& range, ByteSink& target)
      : opener_{key, range}, target_{target} {}

  void write(Bytes bytes) override {
    constexpr size_t kSlice = 4 * kAgeStoredChunkSize;
    while (!bytes.empty()) {
      const size_t count = std::min(bytes.size(), kSlice);
      opener_.update(bytes.first(count), plain_);
      bytes = bytes.subspan(count);
      pass_on();
    }
  }
  void finish() override {
    opener_.finish();
    target_.finish();
  }
  void abort(const Cause& cause) noexcept override { target_.abort(cause); }

 private:
  void pass_on() {
    if (!plain_.empty()) target_.write(plain_);
    plain_.clear();
  }

  AgeRangeOpener opener_;
  ByteSink& target_;
  std::vector<std::byte> plain_;
};

}  // namespace

struct SealedFile::Impl {
  Impl(const std::vector<AgeIdentity>& identities, uint64_t size, FetchRange fetch_range)
      : opener{identities}, stored_size{size}, fetch{std::move(fetch_range)} {}

  AgeOpener opener;
  uint64_t stored_size;
  FetchRange fetch;
  uint64_t header_size = 0;
  uint64_t plain_size = 0;
};

SealedFile::SealedFile(const std::vector<AgeIdentity>& identities, uint64_t stored_size,
                       FetchRange fetch)
    : impl_{std::make_unique<Impl>(identities, stored_size, std::move(fetch))} {
  HeaderSink sink{impl_->opener};
  uint64_t step = kFirstFetch;
  while (!impl_->opener.header_size()) {
    const uint64_t before = sink.fetched;
    if (before < stored_size) impl_->fetch(before, std::min(step, stored_size - before), sink);
    if (sink.fetched == before)
      throw Error{ErrorCode::DataLoss, "the sealed file ends within its header", {}, "truncated"};
    step *= 4;
  }
  impl_->header_size = *impl_->opener.header_size();
  impl_->plain_size = age_plain_size(stored_size, impl_->header_size);
}

SealedFile::~SealedFile() = default;

uint64_t SealedFile::plain_size() const noexcept { return impl_->plain_size; }

void SealedFile::read(uint64_t offset, uint64_t length, ByteSink& sink) {
  if (offset > impl_->plain_size || length > impl_->plain_size - offset)
    throw Error{ErrorCode::InvalidArgument, "the range lies outside the file"};
  const AgeStoredRange range =
      age_stored_range(impl_->stored_size, impl_->header_size, offset, length);
  RangeSink opener{*impl_->opener.payload_key(), range, sink};
  if (range.stored_length == 0) {
    opener.finish();
    return;
  }
  impl_->fetch(range.stored_offset, range.stored_length, opener);
}

}  // namespace dbackup::host
