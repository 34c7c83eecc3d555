// Random cases; a failure prints the seed with which RC_PARAMS="seed=…" repeats it.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "crypto/age_range.hpp"
#include "crypto/bech32.hpp"
#include "crypto/secret_box.hpp"
#include "tests/unit/crypto/age_support.hpp"

namespace dbackup::host {
namespace {

using test::Bytes;

/// Sizes near chunk borders and anywhere up to five chunks.
rc::Gen<size_t> any_size() {
  return rc::gen::oneOf(
      rc::gen::inRange<size_t>(0, 400), rc::gen::inRange<size_t>(0, 5 * kAgeChunkSize),
      rc::gen::map(rc::gen::pair(rc::gen::inRange<size_t>(1, 5), rc::gen::inRange<size_t>(0, 40)),
                   [](const auto& at) { return at.first * kAgeChunkSize - 20 + at.second; }));
}

TEST(AgeProperty, AnySizeInAnySplitsComesBack) {
  EXPECT_TRUE(rc::check("seal and open", [] {
    const auto identity = AgeIdentity::generate();
    const Bytes plain = test::sample(*any_size(), *rc::gen::arbitrary<uint64_t>());
    const size_t seal_step = *rc::gen::inRange<size_t>(1, 3 * kAgeChunkSize);
    const size_t open_step = *rc::gen::inRange<size_t>(1, 3 * kAgeChunkSize);
    const Bytes stored = test::seal(plain, {identity.recipient()}, seal_step);
    const auto opened = test::open(stored, {identity}, open_step);
    RC_ASSERT(opened.ok());
    RC_ASSERT(opened.plain == plain);
    RC_ASSERT(age_plain_size(stored.size(), *opened.header_size) == plain.size());
  }));
}

TEST(AgeProperty, AnyRangeIsTheSlice) {
  const auto identity = AgeIdentity::generate();
  EXPECT_TRUE(rc::check("range", [&] {
    const Bytes plain = test::sample(*any_size(), 3);
    const Bytes stored = test::seal(plain, {identity.recipient()});
    AgeOpener header{{identity}};
    Bytes out;
    header.update(std::span{stored}.first(std::min<size_t>(stored.size(), 1000)), out);
    out.clear();
    const size_t offset = *rc::gen::inRange<size_t>(0, plain.size() + 1);
    const size_t length = *rc::gen::inRange<size_t>(0, plain.size() + 100);
    const auto range = age_stored_range(stored.size(), *header.header_size(), offset, length);
    AgeRangeOpener opener{*header.payload_key(), range};
    opener.update(std::span{stored}.subspan(range.stored_offset, range.stored_length), out);
    opener.finish();
    const auto slice = std::span{plain}.subspan(offset, std::min(length, plain.size() - offset));
    RC_ASSERT(out == Bytes(slice.begin(), slice.end()));
  }));
}

TEST(AgeProperty, AnyDamageIsNoticedAndOnlyTrueBytesAreLetOut) {
  const auto identity = AgeIdentity::generate();
  EXPECT_TRUE(rc::check("damage", [&] {
    const Bytes plain = test::sample(*any_size(), 4);
    Bytes stored = test::seal(plain, {identity.recipient()});
    const size_t at = *rc::gen::inRange<size_t>(0, stored.size());
    const auto position = stored.begin() + static_cast<ptrdiff_t>(at);
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        *position ^= static_cast<std::byte>(*rc::gen::inRange(1, 256));
        break;
      case 1:
        stored.resize(at);
        break;
      case 2:
        stored.insert(position, static_cast<std::byte>(*rc::gen::inRange(0, 256)));
        break;
      default:
        stored.erase(position);
        break;
    }
    const auto opened = test::open(stored, {identity});
    RC_ASSERT(!opened.ok());
    RC_ASSERT(test::is_prefix(opened.plain, plain));
  }));
}

TEST(AgeProperty, AnyBytesAsHeaderAreRefusedWithAnErrorOfOurs) {
  const auto identity = AgeIdentity::generate();
  EXPECT_TRUE(rc::check("garbage", [&] {
    const auto tail = *rc::gen::arbitrary<std::string>();
    const bool with_start = *rc::gen::arbitrary<bool>();
    const std::string text = (with_start ? "age-encryption.org/v1\n-> X25519 " : "") + tail;
    const auto opened = test::open(test::to_bytes(text), {identity});
    RC_ASSERT(!opened.ok());
    RC_ASSERT(opened.error->code() == ErrorCode::DataLoss);
  }));
}

TEST(Bech32Property, AnyBytesComeBackAndAnyOneCharacterChangedIsNoticed) {
  EXPECT_TRUE(rc::check("bech32", [] {
    const auto data = *rc::gen::arbitrary<std::string>();
    std::string text = bech32_encode("age", data);
    RC_ASSERT(bech32_decode(text)->data == data);
    const size_t at = *rc::gen::inRange<size_t>(4, text.size());
    text[at] = text[at] == 'q' ? 'p' : 'q';
    RC_ASSERT(!bech32_decode(text));
  }));
}

TEST(SecretBoxProperty, AnySecretComesBackAndNoTextBreaksTheReader) {
  const SecretBox box{SecretString{std::string(32, 'k')}};
  EXPECT_TRUE(rc::check("secret box", [&] {
    const auto plain = *rc::gen::arbitrary<std::string>();
    const auto context = *rc::gen::arbitrary<std::string>();
    RC_ASSERT(box.open(box.seal(plain, context), context).reveal() == plain);
    RC_ASSERT_THROWS_AS(box.open(plain, context), Error);
    RC_ASSERT_THROWS_AS(box.open("v1:" + box.key_id() + ":" + plain, context), Error);
  }));
}

}  // namespace
}  // namespace dbackup::host
