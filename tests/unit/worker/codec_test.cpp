#include "worker/format/codec.hpp"

#include <rapidcheck.h>

#include "pipeline_support.hpp"

namespace dbackup::host {
namespace {

using namespace test;

std::string compress(Compression compression, const std::string& text, size_t largest = 1 << 20,
                     unsigned threads = 2) {
  Received received;
  const SinkPtr sink =
      codec(compression).compressor(std::make_unique<CollectSink>(received), {.threads = threads});
  write_split(*sink, text, largest);
  EXPECT_FALSE(received.finished);
  sink->finish();
  EXPECT_TRUE(received.finished);
  return received.bytes;
}

/// The plain text; throws what the decompressor throws, and checks that it gives no end of file
/// then.
std::string decompress(Compression compression, const std::string& stored,
                       size_t largest = 1 << 20) {
  Received received;
  try {
    const SinkPtr sink = codec(compression).decompressor(std::make_unique<CollectSink>(received));
    write_split(*sink, stored, largest);
    sink->finish();
  } catch (...) {
    EXPECT_FALSE(received.finished);
    throw;
  }
  EXPECT_TRUE(received.finished);
  return received.bytes;
}

std::vector<std::string> reader_program(Compression compression) {
  switch (compression) {
    case Compression::Zstd:
      return {"zstd", "-dc"};
    case Compression::Gzip:
      return {"gzip", "-dc"};
    case Compression::Brotli:
      return {"brotli", "-dc"};
    case Compression::None:
      return {"cat"};
  }
  return {};
}

class EachCodec : public testing::TestWithParam<Compression> {};

TEST_P(EachCodec, GivesBackWhatItWasGivenInAnySplit) {
  const Compression compression = GetParam();
  EXPECT_TRUE(rc::check([compression](const std::string& text) {
    const size_t largest = *rc::gen::inRange<size_t>(1, 64);
    const unsigned threads = *rc::gen::inRange(1U, 4U);
    RC_ASSERT(decompress(compression, compress(compression, text, largest, threads), largest) ==
              text);
  }));
}

TEST_P(EachCodec, GivesBackLargeInputsAroundTheSizeOfItsBlocks) {
  constexpr size_t kBlock = 512 * 1024;
  for (const size_t size :
       {size_t{0}, size_t{1}, kBlock - 1, kBlock, kBlock + 1, 9 * kBlock + 77}) {
    const std::string text = dump_like(size) + random_text(size / 3);
    const std::string stored = compress(GetParam(), text);
    EXPECT_EQ(decompress(GetParam(), stored, 100000), text) << size;
    EXPECT_EQ(decompress(GetParam(), stored, 4 << 20), text) << size;
  }
}

TEST_P(EachCodec, IsReadByTheOrdinaryProgram) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{5'000'000}}) {
    const std::string text = dump_like(size);
    const ProgramResult result =
        run_program(reader_program(GetParam()), compress(GetParam(), text));
    EXPECT_EQ(result.status, 0);
    EXPECT_TRUE(result.output == text) << size;
  }
}

TEST_P(EachCodec, ReadsWhatTheOrdinaryProgramWrote) {
  if (GetParam() == Compression::None) return;
  std::vector<std::string> program = reader_program(GetParam());
  program[1] = "-c";
  const std::string text = dump_like(3'000'000);
  const ProgramResult result = run_program(program, text);
  ASSERT_EQ(result.status, 0);
  EXPECT_TRUE(decompress(GetParam(), result.output, 777) == text);
}

TEST_P(EachCodec, RefusesAFileThatIsCutAnywhere) {
  if (GetParam() == Compression::None) return;
  const std::string stored = compress(GetParam(), dump_like(2000));
  for (size_t size = 0; size < stored.size(); ++size)
    EXPECT_EQ(error_of([&] { decompress(GetParam(), stored.substr(0, size)); }),
              ErrorCode::DataLoss)
        << size;
}

TEST_P(EachCodec, RefusesWhatFollowsTheEnd) {
  if (GetParam() == Compression::None) return;
  for (const char* tail : {"x", "garbage that follows", "\0\0\0\0\0\0\0\0\0\0"})
    for (const size_t largest : {size_t{1}, size_t{1} << 20})
      EXPECT_EQ(error_of([&] {
                  decompress(GetParam(),
                             compress(GetParam(), "abc") + std::string(tail, 1 + std::strlen(tail)),
                             largest);
                }),
                ErrorCode::DataLoss);
}

TEST_P(EachCodec, NeverPassesOffDamagedBytesAsComplete) {
  // Brotli has no checksum of its own: the sealed chunks and the SHA-256 are there for that.
  if (GetParam() == Compression::None || GetParam() == Compression::Brotli) return;
  const std::string text = dump_like(5000);
  const std::string stored = compress(GetParam(), text);
  for (size_t i = 0; i < stored.size(); i += 7) {
    std::string damaged = stored;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    try {
      EXPECT_EQ(decompress(GetParam(), damaged), text) << "a header bit without meaning at " << i;
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::DataLoss ||
                  error.code() == ErrorCode::ResourceExhausted);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, EachCodec,
                         testing::Values(Compression::None, Compression::Gzip, Compression::Brotli,
                                         Compression::Zstd),
                         [](const auto& row) { return std::string{to_string(row.param)}; });

TEST(CodecTable, HasARowForEveryCompression) {
  for (const CompressionRow& row : compressions()) {
    EXPECT_EQ(codec(row.compression).compression, row.compression);
    EXPECT_EQ(compression_from(row.name), row.compression);
  }
  EXPECT_EQ(codecs().size(), compressions().size());
}

TEST(ZstdCodec, RefusesAWindowBeyondItsLimit) {
  // A frame by hand: magic, header, window descriptor (2 to the power of 10 + its upper five bits),
  // one raw block of one byte, the last.
  const auto frame_with_window = [](int log) {
    const auto descriptor = static_cast<char>((log - 10) << 3);
    return std::string{"\x28\xb5\x2f\xfd\x00", 5} + descriptor + std::string{"\x09\x00\x00x", 4};
  };
  EXPECT_EQ(decompress(Compression::Zstd, frame_with_window(20)), "x");
  EXPECT_EQ(error_of([&] { decompress(Compression::Zstd, frame_with_window(28)); }),
            ErrorCode::ResourceExhausted);
}

TEST(ZstdCodec, WritesOneFrame) {
  const std::string stored = compress(Compression::Zstd, dump_like(20'000'000));
  const ProgramResult list = run_program({"zstd", "-dc"}, stored);
  EXPECT_EQ(list.status, 0);
  const std::string magic{"\x28\xb5\x2f\xfd"};
  EXPECT_EQ(stored.find(magic), 0U);
}

TEST(GzipCodec, IsAboutAsDenseAsGzipSix) {
  const std::string text = dump_like(8'000'000);
  const ProgramResult reference = run_program({"gzip", "-6", "-c"}, text);
  ASSERT_EQ(reference.status, 0);
  EXPECT_LE(compress(Compression::Gzip, text).size(), reference.output.size() * 105 / 100);
}

TEST(DetectingDecompressor, OpensEachFormatByItsMagic) {
  const std::string text = dump_like(100000);
  for (const Compression compression : {Compression::None, Compression::Gzip, Compression::Zstd}) {
    for (const size_t largest : {size_t{1}, size_t{100000}}) {
      Received received;
      const SinkPtr sink = make_detecting_decompressor(std::make_unique<CollectSink>(received));
      write_split(*sink, compress(compression, text), largest);
      sink->finish();
      EXPECT_TRUE(received.finished);
      EXPECT_EQ(received.bytes, text);
    }
  }
}

TEST(DetectingDecompressor, PassesOnWhatIsShorterThanAMagic) {
  for (const std::string text : {"", "a", "abc"}) {
    Received received;
    const SinkPtr sink = make_detecting_decompressor(std::make_unique<CollectSink>(received));
    sink->write(bytes_of(text));
    sink->finish();
    EXPECT_EQ(received.bytes, text);
  }
}

}  // namespace
}  // namespace dbackup::host
