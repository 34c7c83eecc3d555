#include "worker/format/stored_reader.hpp"

#include <rapidcheck.h>

#include "crypto/hash.hpp"
#include "pipeline_support.hpp"
#include "worker/format/backup_pipeline.hpp"

namespace dbackup::host {
namespace {

using namespace test;

const AgeIdentity& identity() {
  static const AgeIdentity value = AgeIdentity::generate();
  return value;
}

std::string store(const std::string& text, Compression compression, bool sealed) {
  const CancelToken token;
  BackupPipelineOptions options{.compression = compression, .limits = {.threads = 2}};
  if (sealed) options.recipients.push_back(identity().recipient());
  BackupPipeline pipeline{options, token};
  ReadingThread reading{pipeline.destination(0)};
  pipeline.input().write(bytes_of(text));
  pipeline.input().finish();
  reading.join();
  return reading.bytes;
}

StoredFormat format_of(std::optional<Compression> compression, bool sealed) {
  StoredFormat format{.sealed = sealed, .compression = compression};
  if (sealed) format.identities = {AgeIdentity::generate(), identity()};
  return format;
}

struct Restored {
  std::string bytes;
  bool reached_end = false;
  Cause writer_cause;
};

Restored restore(const StoredFormat& format, const std::string& stored, size_t largest = 1 << 20) {
  const CancelToken token;
  RestorePipeline pipeline{format, token, {.block_size = 8192, .block_count = 2}};
  ReadingThread reading{pipeline.output()};
  Restored result;
  try {
    write_split(pipeline.input(), stored, largest);
    pipeline.input().finish();
  } catch (...) {
    result.writer_cause = current_cause();
  }
  reading.join();
  result.bytes = std::move(reading.bytes);
  result.reached_end = reading.reached_end;
  return result;
}

TEST(RestorePipeline, GivesBackEveryBackupAroundTheSizeOfAChunk) {
  constexpr size_t kChunk = 65536;
  for (const CompressionRow& row : compressions()) {
    for (const bool sealed : {false, true}) {
      for (const size_t size :
           {size_t{0}, size_t{1}, kChunk - 1, kChunk, kChunk + 1, 40 * kChunk, size_t{5'000'001}}) {
        const std::string text = size > 3'000'000 ? dump_like(size) : random_text(size);
        const std::string stored = store(text, row.compression, sealed);
        StoredFormat format = format_of(row.compression, sealed);
        format.expected_sha256 = sha256_hex(stored);
        const Restored restored = restore(format, stored, 50000);
        EXPECT_TRUE(restored.reached_end) << row.name << " " << size;
        EXPECT_TRUE(restored.bytes == text) << row.name << " " << size;
      }
    }
  }
}

TEST(RestorePipeline, GivesBackAnythingInAnySplit) {
  EXPECT_TRUE(rc::check([](const std::string& text, bool sealed) {
    const Compression compression = *rc::gen::element(Compression::None, Compression::Gzip,
                                                      Compression::Brotli, Compression::Zstd);
    const Restored restored =
        restore(format_of(compression, sealed), store(text, compression, sealed),
                *rc::gen::inRange<size_t>(1, 300));
    RC_ASSERT(restored.reached_end);
    RC_ASSERT(restored.bytes == text);
  }));
}

TEST(RestorePipeline, GivesNoEndForASealedFileThatIsCut) {
  const std::string stored = store(random_text(200'000), Compression::None, true);
  for (const size_t cut : {size_t{1}, size_t{16}, size_t{20'000}, stored.size() - 10}) {
    const Restored restored =
        restore(format_of(Compression::None, true), stored.substr(0, stored.size() - cut));
    EXPECT_FALSE(restored.reached_end);
    ASSERT_TRUE(restored.writer_cause);
    EXPECT_EQ(restored.writer_cause->code(), ErrorCode::DataLoss);
  }
}

TEST(RestorePipeline, GivesNoEndWhenTheSumIsAnother) {
  StoredFormat format = format_of(Compression::Zstd, false);
  format.expected_sha256 = sha256_hex("something else");
  const Restored restored = restore(format, store(dump_like(500'000), Compression::Zstd, false));
  EXPECT_FALSE(restored.reached_end);
  ASSERT_TRUE(restored.writer_cause);
  EXPECT_EQ(restored.writer_cause->code(), ErrorCode::DataLoss);
}

TEST(RestorePipeline, SaysWhenNoIdentityFits) {
  StoredFormat format = format_of(Compression::None, true);
  format.identities = {AgeIdentity::generate()};
  const Restored restored = restore(format, store("abc", Compression::None, true));
  ASSERT_TRUE(restored.writer_cause);
  EXPECT_EQ(restored.writer_cause->reason(), "encryption_key_required");
}

TEST(RestorePipeline, TellsTheStorageWhyTheRestoreStoppedReading) {
  const CancelToken token;
  RestorePipeline pipeline{
      format_of(Compression::None, false), token, {.block_size = 1024, .block_count = 2}};
  std::thread failing{[&] {
    pipeline.output().peek();
    pipeline.output().fail(Error{ErrorCode::FailedPrecondition, "the table is in use"});
  }};
  const std::string text = random_text(1 << 20);
  EXPECT_EQ(error_of([&] {
              while (true) pipeline.input().write(bytes_of(text));
            }),
            ErrorCode::FailedPrecondition);
  failing.join();
}

TEST(RestorePipeline, FindsTheCompressionByItself) {
  const std::string text = dump_like(300'000);
  for (const Compression compression : {Compression::None, Compression::Gzip, Compression::Zstd})
    EXPECT_EQ(restore(format_of(std::nullopt, true), store(text, compression, true)).bytes, text);
}

TEST(StoredChain, ChecksTheSumOfAFileWithoutOpeningIt) {
  const std::string stored = store(dump_like(100'000), Compression::Zstd, true);
  const CancelToken token;
  auto tally = std::make_shared<StreamTally>();
  const auto chain = make_stored_chain({}, token, std::make_unique<NullSink>(), tally);
  chain->write(bytes_of(stored));
  chain->finish();
  EXPECT_EQ(tally->sha256, sha256_hex(stored));
  EXPECT_EQ(tally->bytes, stored.size());
}

TEST(SealedFile, GivesExactlyTheRangeAskedFor) {
  const std::string text = random_text(300'000);
  const std::string stored = store(text, Compression::None, true);
  uint64_t fetched = 0;
  SealedFile file{
      {identity()}, stored.size(), [&](uint64_t offset, uint64_t length, ByteSink& sink) {
        fetched += length;
        write_split(sink, stored.substr(offset, length), 30000);
        sink.finish();
      }};
  EXPECT_EQ(file.plain_size(), text.size());
  fetched = 0;
  EXPECT_TRUE(rc::check([&] {
    const auto offset = *rc::gen::inRange<uint64_t>(0, text.size() + 1);
    const auto length = *rc::gen::inRange<uint64_t>(0, text.size() - offset + 1);
    Received received;
    CollectSink sink{received};
    fetched = 0;
    file.read(offset, length, sink);
    RC_ASSERT(received.finished);
    RC_ASSERT(received.bytes == text.substr(offset, length));
    RC_ASSERT(fetched <= length + 2 * (65536 + 16) + 16 * (length / 65536 + 1));
  }));
  NullSink sink;
  EXPECT_EQ(error_of([&] { file.read(text.size(), 1, sink); }), ErrorCode::InvalidArgument);
}

TEST(SealedFile, NoticesDamageAndAFileThatIsCut) {
  const std::string text = random_text(200'000);
  std::string stored = store(text, Compression::None, true);
  const auto open_range = [&](uint64_t offset, uint64_t length) {
    SealedFile file{{identity()}, stored.size(), [&](uint64_t at, uint64_t count, ByteSink& sink) {
                      sink.write(bytes_of(stored).subspan(at, count));
                      sink.finish();
                    }};
    Received received;
    CollectSink sink{received};
    const auto code = error_of([&] { file.read(offset, length, sink); });
    EXPECT_EQ(received.finished, !code);
    return code;
  };
  EXPECT_FALSE(open_range(0, text.size()));
  stored[stored.size() - 5] = static_cast<char>(stored[stored.size() - 5] ^ 1);
  EXPECT_EQ(open_range(text.size() - 1, 1), ErrorCode::DataLoss);
  EXPECT_FALSE(open_range(0, 10));
  stored.resize(100);
  EXPECT_EQ(error_of([&] { open_range(0, 1); }), ErrorCode::DataLoss);
}

}  // namespace
}  // namespace dbackup::host
