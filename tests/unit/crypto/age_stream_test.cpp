#include "crypto/age_stream.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/unit/crypto/age_support.hpp"

namespace dbackup::host {
namespace {

using test::Bytes;

class AgeStream : public testing::Test {
 protected:
  Bytes seal(const Bytes& plain, size_t step = SIZE_MAX) const {
    return test::seal(plain, {identity_.recipient()}, step);
  }
  test::Opened open(std::span<const std::byte> stored, size_t step = SIZE_MAX) const {
    return test::open(stored, {identity_}, step);
  }
  size_t header_size() const {
    return AgeSealer{std::vector{identity_.recipient()}}.header().size();
  }

  AgeIdentity identity_ = AgeIdentity::generate();
};

constexpr size_t kSizes[] = {0, 1, 15, 16, 65535, 65536, 65537, 3 * 65536, 3 * 65536 + 1, 1000003};

TEST_F(AgeStream, OpensWhatItSealedAtEverySizeAndSplit) {
  for (const size_t size : kSizes) {
    const Bytes plain = test::sample(size);
    for (const size_t step : {size_t{1000}, size_t{65536}, size_t{65552}, SIZE_MAX}) {
      const auto opened = open(seal(plain, step), step);
      EXPECT_TRUE(opened.ok()) << size << " bytes in steps of " << step << ": " << opened.reason();
      EXPECT_EQ(opened.plain, plain) << size << " bytes in steps of " << step;
    }
  }
}

TEST_F(AgeStream, IsOpenedByEveryRecipientAndByNobodyElse) {
  const auto escrow = AgeIdentity::generate();
  const auto stranger = AgeIdentity::generate();
  const Bytes plain = test::sample(70000);
  const Bytes stored = test::seal(plain, {identity_.recipient(), escrow.recipient()});
  EXPECT_EQ(test::open(stored, {identity_}).plain, plain);
  EXPECT_EQ(test::open(stored, {stranger, escrow}).plain, plain);
  for (const auto& identities : {std::vector<AgeIdentity>{}, std::vector{stranger}}) {
    const auto refused = test::open(stored, identities);
    EXPECT_EQ(refused.reason(), "encryption_key_required");
    EXPECT_EQ(refused.error->code(), ErrorCode::FailedPrecondition);
    EXPECT_TRUE(refused.plain.empty());
  }
}

TEST_F(AgeStream, NeedsARecipient) {
  EXPECT_THROW(AgeSealer{std::vector<AgeRecipient>{}}, Error);
  EXPECT_THROW(AgeSealer{std::vector<AgeRecipient>(700, identity_.recipient())}, Error);
  EXPECT_NO_THROW(AgeSealer{std::vector<AgeRecipient>(500, identity_.recipient())});
}

TEST_F(AgeStream, IsNeverSealedTwiceTheSame) {
  const Bytes plain = test::sample(100);
  EXPECT_NE(seal(plain), seal(plain));
}

TEST_F(AgeStream, TellsItsHeaderSizeOnceTheNonceIsThere) {
  const Bytes stored = seal(test::sample(10));
  AgeOpener opener{{identity_}};
  Bytes plain;
  for (size_t at = 0; at < header_size(); ++at) {
    EXPECT_FALSE(opener.header_size()) << "after " << at;
    EXPECT_EQ(opener.payload_key(), nullptr);
    opener.update(std::span{stored}.subspan(at, 1), plain);
  }
  EXPECT_EQ(opener.header_size(), header_size());
  EXPECT_NE(opener.payload_key(), nullptr);
}

TEST_F(AgeStream, CutAtAnyLengthFailsAndLetsOutOnlyWhatIsTrue) {
  const Bytes plain = test::sample(50);
  const Bytes stored = seal(plain);
  for (size_t length = 0; length < stored.size(); ++length) {
    const auto opened = open(std::span{stored}.first(length));
    EXPECT_FALSE(opened.ok()) << "cut to " << length;
    EXPECT_EQ(opened.error->code(), ErrorCode::DataLoss) << "cut to " << length;
    EXPECT_TRUE(opened.plain.empty());
  }
}

TEST_F(AgeStream, CutAroundChunkBordersFails) {
  const Bytes plain = test::sample(2 * kAgeChunkSize + 100);
  const Bytes stored = seal(plain);
  const size_t header = header_size();
  for (const size_t chunk : {0U, 1U, 2U}) {
    const size_t border = header + chunk * kAgeStoredChunkSize;
    for (size_t length = border - 17; length <= border + 17; ++length) {
      const auto opened = open(std::span{stored}.first(length));
      ASSERT_FALSE(opened.ok()) << "cut to " << length;
      EXPECT_EQ(opened.error->code(), ErrorCode::DataLoss);
      EXPECT_TRUE(test::is_prefix(opened.plain, plain));
    }
  }
}

TEST_F(AgeStream, WithAnyBitTurnedFails) {
  const Bytes plain = test::sample(50);
  const Bytes stored = seal(plain);
  for (size_t bit = 0; bit < stored.size() * 8; ++bit) {
    Bytes damaged = stored;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto opened = open(damaged);
    ASSERT_FALSE(opened.ok()) << "bit " << bit;
    EXPECT_TRUE(opened.plain.empty()) << "bit " << bit;
  }
}

TEST_F(AgeStream, WithChunksSwappedRepeatedOrLeftOutFails) {
  const Bytes plain = test::sample(4 * kAgeChunkSize);
  const Bytes stored = seal(plain);
  const size_t header = header_size();
  const auto chunk = [&](size_t index) {
    return std::span{stored}.subspan(header + index * kAgeStoredChunkSize, kAgeStoredChunkSize);
  };
  const std::vector<std::vector<size_t>> orders{
      {1, 0, 2, 3}, {0, 2, 1, 3}, {0, 1, 3, 2}, {0, 0, 1, 2, 3}, {0, 1, 2, 3, 3}, {0, 1, 3},
      {0, 1, 2},    {3},          {},           {0, 1, 2, 3, 0}};
  for (const auto& order : orders) {
    Bytes changed{stored.begin(), stored.begin() + static_cast<ptrdiff_t>(header)};
    for (const size_t index : order)
      changed.insert(changed.end(), chunk(index).begin(), chunk(index).end());
    for (const size_t step : {size_t{4096}, SIZE_MAX}) {
      const auto opened = open(changed, step);
      ASSERT_FALSE(opened.ok()) << testing::PrintToString(order);
      EXPECT_EQ(opened.error->code(), ErrorCode::DataLoss);
      EXPECT_TRUE(test::is_prefix(opened.plain, plain)) << testing::PrintToString(order);
    }
  }
}

TEST_F(AgeStream, WithBytesAfterItsEndFails) {
  for (const size_t size : {size_t{0}, size_t{10}, kAgeChunkSize, kAgeChunkSize + 1}) {
    Bytes stored = seal(test::sample(size));
    stored.push_back(std::byte{0});
    EXPECT_FALSE(open(stored).ok()) << size;
    EXPECT_FALSE(open(stored, 1).ok()) << size;
  }
}

TEST_F(AgeStream, ThatIsNoAgeFileIsRefusedAtItsFirstBytes) {
  for (const char* start : {"PGDMP", "\x1f\x8b\x08", "age-encryption.org/v2\n", "\n"}) {
    AgeOpener opener{{identity_}};
    Bytes plain;
    try {
      opener.update(test::to_bytes(start), plain);
      ADD_FAILURE() << start;
    } catch (const Error& error) {
      EXPECT_EQ(error.reason(), "age_header");
    }
  }
}

TEST_F(AgeStream, WithAnEndlessHeaderIsRefusedWithinItsLimit) {
  AgeOpener opener{{identity_}};
  Bytes plain;
  opener.update(test::to_bytes("age-encryption.org/v1\n-> X "), plain);
  size_t given = 0;
  EXPECT_THROW(
      while (given < (size_t{1} << 20)) {
        opener.update(test::to_bytes(std::string(1000, 'a')), plain);
        given += 1000;
      },
      Error);
  EXPECT_LT(given, kAgeMaxHeaderSize);
}

TEST_F(AgeStream, StaysFailedAfterItsFirstError) {
  Bytes stored = seal(test::sample(3 * kAgeChunkSize));
  stored[header_size() + kAgeStoredChunkSize + 5] ^= std::byte{1};
  AgeOpener opener{{identity_}};
  Bytes plain;
  EXPECT_THROW(opener.update(stored, plain), Error);
  const size_t released = plain.size();
  EXPECT_THROW(opener.update(stored, plain), Error);
  EXPECT_THROW(opener.finish(plain), Error);
  EXPECT_EQ(plain.size(), released);
}

TEST_F(AgeStream, IsEndedOnce) {
  AgeSealer sealer{std::vector{identity_.recipient()}};
  Bytes stored;
  sealer.finish(stored);
  EXPECT_THROW(sealer.finish(stored), Error);
  EXPECT_THROW(sealer.update(stored, stored), Error);
}

TEST_F(AgeStream, SealedByChunksOnSeveralThreadsIsTheSameFile) {
  constexpr size_t kChunks = 64;
  const Bytes plain = test::sample(kChunks * kAgeChunkSize - 10);
  const AgeSealer sealer{std::vector{identity_.recipient()}};
  Bytes stored = test::to_bytes(sealer.header());
  const size_t header = stored.size();
  stored.resize(header + plain.size() + kChunks * kAgeTagSize);
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t index = next++; index < kChunks; index = next++) {
      const auto part = std::span{plain}.subspan(
          index * kAgeChunkSize, std::min(kAgeChunkSize, plain.size() - index * kAgeChunkSize));
      sealer.payload_key().seal_chunk(
          index, index + 1 == kChunks, part,
          std::span{stored}.subspan(header + index * kAgeStoredChunkSize,
                                    part.size() + kAgeTagSize));
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (auto& thread : threads) thread.join();
  const auto opened = open(stored);
  EXPECT_TRUE(opened.ok()) << opened.reason();
  EXPECT_EQ(opened.plain, plain);
}

TEST_F(AgeStream, ChunksAreSealedAndOpenedInPlace) {
  const AgeSealer sealer{std::vector{identity_.recipient()}};
  const Bytes plain = test::sample(1000);
  Bytes buffer = plain;
  buffer.resize(plain.size() + kAgeTagSize);
  const std::span<std::byte> body{buffer.data(), plain.size()};
  sealer.payload_key().seal_chunk(7, true, body, buffer);
  Bytes other(plain.size());
  EXPECT_FALSE(sealer.payload_key().open_chunk(8, true, buffer, other));
  ASSERT_TRUE(sealer.payload_key().open_chunk(7, true, buffer, body));
  EXPECT_EQ((Bytes{body.begin(), body.end()}), plain);
}

TEST_F(AgeStream, ChunkThatFailsLeavesNoUnprovenBytes) {
  const AgeSealer sealer{std::vector{identity_.recipient()}};
  const Bytes plain = test::sample(1000);
  Bytes stored(plain.size() + kAgeTagSize);
  sealer.payload_key().seal_chunk(0, true, plain, stored);
  stored.back() ^= std::byte{1};
  Bytes out = test::sample(1000, 2);
  EXPECT_FALSE(sealer.payload_key().open_chunk(0, true, stored, out));
  EXPECT_EQ(out, Bytes(1000));
}

TEST_F(AgeStream, ChunksOfForbiddenSizesAreRefused) {
  const AgeSealer sealer{std::vector{identity_.recipient()}};
  const auto& key = sealer.payload_key();
  Bytes out(kAgeStoredChunkSize);
  EXPECT_THROW(key.seal_chunk(0, false, test::sample(10), std::span{out}.first(26)), Error);
  EXPECT_THROW(key.seal_chunk(1, true, {}, std::span{out}.first(16)), Error);
  EXPECT_THROW(key.seal_chunk(0, true, test::sample(10), std::span{out}.first(10)), Error);
  EXPECT_FALSE(key.open_chunk(0, true, test::sample(10), {}));
}

}  // namespace
}  // namespace dbackup::host
