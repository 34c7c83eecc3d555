#include "crypto/age_range.hpp"

#include <gtest/gtest.h>

#include "tests/unit/crypto/age_support.hpp"

namespace dbackup::host {
namespace {

using test::Bytes;

/// One sealed file and what is needed to read parts of it.
class AgeRange : public testing::Test {
 protected:
  void make(size_t size) {
    plain_ = test::sample(size);
    stored_ = test::seal(plain_, {identity_.recipient()});
    opener_.emplace(std::vector{identity_});
    Bytes ignored;
    opener_->update(std::span{stored_}.first(std::min<size_t>(stored_.size(), 4096)), ignored);
    header_ = opener_->header_size().value();
  }
  AgeStoredRange range(uint64_t offset, uint64_t length) const {
    return age_stored_range(stored_.size(), header_, offset, length);
  }
  Bytes read(const AgeStoredRange& range, size_t step = SIZE_MAX) const {
    const auto part = std::span{stored_}.subspan(range.stored_offset, range.stored_length);
    AgeRangeOpener opener{*opener_->payload_key(), range};
    Bytes out;
    for (size_t at = 0; at < part.size();) {
      const size_t count = std::min(step, part.size() - at);
      opener.update(part.subspan(at, count), out);
      at += count;
    }
    opener.finish();
    return out;
  }
  Bytes slice(size_t offset, size_t length) const {
    const auto part = std::span{plain_}.subspan(offset, std::min(length, plain_.size() - offset));
    return {part.begin(), part.end()};
  }

  AgeIdentity identity_ = AgeIdentity::generate();
  Bytes plain_;
  Bytes stored_;
  std::optional<AgeOpener> opener_;
  uint64_t header_ = 0;
};

TEST_F(AgeRange, SizesOfPlainAndStoredFormFollowFromEachOther) {
  for (const size_t size : {0U, 1U, 65535U, 65536U, 65537U, 131072U, 200000U}) {
    make(size);
    EXPECT_EQ(age_plain_size(stored_.size(), header_), size);
    EXPECT_EQ(age_stored_size(size, header_), stored_.size());
  }
}

TEST_F(AgeRange, SizesNoFileCanHaveAreRefused) {
  constexpr uint64_t kHeader = 200;
  EXPECT_THROW(age_plain_size(0, kHeader), Error);
  EXPECT_THROW(age_plain_size(kHeader, kHeader), Error);
  EXPECT_THROW(age_plain_size(kHeader + 15, kHeader), Error);
  EXPECT_EQ(age_plain_size(kHeader + 16, kHeader), 0U);
  for (uint64_t rest = 1; rest <= 16; ++rest) {
    EXPECT_THROW(age_plain_size(kHeader + kAgeStoredChunkSize + rest, kHeader), Error) << rest;
  }
  EXPECT_EQ(age_plain_size(kHeader + kAgeStoredChunkSize + 17, kHeader), kAgeChunkSize + 1);
}

TEST_F(AgeRange, AtEveryBorderEqualsTheSliceOfThePlainBytes) {
  for (const size_t size : {0U, 1U, 65536U, 65537U, 196608U, 200000U}) {
    make(size);
    for (const size_t offset : {0U, 1U, 65535U, 65536U, 65537U, 131072U, 196607U, 199999U}) {
      if (offset > size) continue;
      for (const size_t length : {0U, 1U, 2U, 65535U, 65536U, 65537U, 131073U, 1000000U}) {
        const auto wanted = range(offset, length);
        EXPECT_EQ(wanted.plain_length, slice(offset, length).size());
        EXPECT_EQ(read(wanted), slice(offset, length)) << size << ": " << offset << "+" << length;
        EXPECT_EQ(read(wanted, 777), slice(offset, length))
            << size << ": " << offset << "+" << length;
        EXPECT_LE(wanted.stored_length,
                  length + 2 * kAgeStoredChunkSize + (length / kAgeChunkSize) * 16);
      }
    }
  }
}

TEST_F(AgeRange, BeyondTheEndIsRefused) {
  make(100);
  EXPECT_EQ(range(100, 5).plain_length, 0U);
  EXPECT_THROW(range(101, 1), Error);
}

TEST_F(AgeRange, WithDamageFailsAndLetsNothingUnprovenOut) {
  make(200000);
  const auto wanted = range(70000, 60000);
  stored_[wanted.stored_offset + 100] ^= std::byte{4};
  AgeRangeOpener opener{*opener_->payload_key(), wanted};
  Bytes out;
  EXPECT_THROW(
      opener.update(std::span{stored_}.subspan(wanted.stored_offset, wanted.stored_length), out),
      Error);
  EXPECT_TRUE(out.empty());
  EXPECT_THROW(opener.finish(), Error);
}

TEST_F(AgeRange, OfACutFileFailsWhenItHoldsTheLastChunk) {
  make(200000);
  stored_.resize(header_ + 2 * kAgeStoredChunkSize);  // a size another file could have
  EXPECT_EQ(read(range(0, 100)), slice(0, 100));
  EXPECT_THROW(read(range(65536, 100)), Error);
}

TEST_F(AgeRange, GivenTooFewOrTooManyBytesFails) {
  make(200000);
  const auto wanted = range(0, 70000);
  const auto part = std::span{stored_}.subspan(wanted.stored_offset, wanted.stored_length + 1);
  Bytes out;
  AgeRangeOpener longer{*opener_->payload_key(), wanted};
  EXPECT_THROW(longer.update(part, out), Error);
  AgeRangeOpener shorter{*opener_->payload_key(), wanted};
  shorter.update(part.first(wanted.stored_length - 1), out);
  EXPECT_THROW(shorter.finish(), Error);
}

}  // namespace
}  // namespace dbackup::host
