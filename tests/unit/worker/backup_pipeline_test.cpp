#include "worker/format/backup_pipeline.hpp"

#include <latch>

#include "crypto/hash.hpp"
#include "pipeline_support.hpp"
#include "worker/format/codec.hpp"
#include "worker/pipeline/async_stage.hpp"
#include "worker/pipeline/seal_stage.hpp"

namespace dbackup::host {
namespace {

using namespace test;

const Error kBroken{ErrorCode::Unavailable, "the line is broken"};

BackupPipelineOptions small_options(Compression compression,
                                    const std::vector<AgeRecipient>& recipients = {}) {
  return {.compression = compression,
          .limits = {.threads = 2},
          .recipients = recipients,
          .queue = {.block_size = 4096, .block_count = 3}};
}

TEST(BackupPipeline, TellsSizesAndTheSumOfWhatTheDestinationGot) {
  const std::string text = dump_like(3'000'000);
  const AgeIdentity identity = AgeIdentity::generate();
  for (const CompressionRow& row : compressions()) {
    for (const bool sealed : {false, true}) {
      const CancelToken token;
      std::vector<AgeRecipient> recipients;
      if (sealed) recipients.push_back(identity.recipient());
      BackupPipeline pipeline{small_options(row.compression, recipients), token};
      ReadingThread reading{pipeline.destination(0)};
      write_split(pipeline.input(), text, 100000);
      pipeline.input().finish();
      reading.join();
      EXPECT_TRUE(reading.reached_end);
      EXPECT_EQ(pipeline.plain_size(), text.size());
      EXPECT_EQ(pipeline.stored_size(), reading.bytes.size());
      EXPECT_EQ(pipeline.stored_sha256(), sha256_hex(reading.bytes));
      EXPECT_EQ(pipeline.input().cause(), nullptr);
    }
  }
}

TEST(BackupPipeline, WritesWhatAgeAndZstdOpen) {
  const AgeIdentity identity = AgeIdentity::generate();
  const std::string text = dump_like(2'000'000);
  const CancelToken token;
  BackupPipeline pipeline{small_options(Compression::Zstd, {identity.recipient()}), token};
  ReadingThread reading{pipeline.destination(0)};
  pipeline.input().write(bytes_of(text));
  pipeline.input().finish();
  reading.join();
  const std::filesystem::path key =
      std::filesystem::temp_directory_path() / ("dbackup-key-" + std::to_string(::getpid()));
  std::ofstream{key} << identity.to_string().reveal() << "\n";
  const ProgramResult opened = run_program({"age", "-d", "-i", key.string()}, reading.bytes);
  std::filesystem::remove(key);
  ASSERT_EQ(opened.status, 0);
  EXPECT_TRUE(run_program({"zstd", "-dc"}, opened.output).output == text);
}

TEST(BackupPipeline, GivesNoEndUnlessItWasFinished) {
  const CancelToken token;
  std::optional<BackupPipeline> pipeline{std::in_place, small_options(Compression::None), token};
  ReadingThread reading{pipeline->destination(0)};
  pipeline->input().write(bytes_of(dump_like(100000)));
  pipeline->input().abort(Error{ErrorCode::Internal, "pg_dump ended with status 1"});
  reading.join();
  EXPECT_FALSE(reading.reached_end);
  ASSERT_TRUE(reading.cause);
  EXPECT_STREQ(reading.cause->what(), "pg_dump ended with status 1");
  EXPECT_EQ(error_of([&] { pipeline->input().finish(); }), ErrorCode::Internal);
}

TEST(BackupPipeline, TellsTheDumpWhyItsLastDestinationFailed) {
  const CancelToken token;
  BackupPipelineOptions options = small_options(Compression::Gzip);
  options.destinations = 2;
  BackupPipeline pipeline{options, token};
  std::thread first{[&] {
    pipeline.destination(0).peek();
    pipeline.destination(0).fail(Error{ErrorCode::ResourceExhausted, "disk full"});
  }};
  std::thread second{[&] {
    const Bytes bytes = pipeline.destination(1).peek();
    pipeline.destination(1).consume(bytes.size());
    pipeline.destination(1).fail(Error{ErrorCode::ResourceExhausted, "quota reached"});
  }};
  const std::string text = random_text(1 << 20);
  const auto code = error_of([&] {
    while (true) pipeline.input().write(bytes_of(text));
  });
  first.join();
  second.join();
  EXPECT_EQ(code, ErrorCode::ResourceExhausted);
  ASSERT_TRUE(pipeline.input().cause());
  // A source that swallows the error of its write cannot finish the stream all the same.
  EXPECT_EQ(error_of([&] { pipeline.input().finish(); }), ErrorCode::ResourceExhausted);
}

TEST(BackupPipeline, CancellingWakesADumpBlockedByASlowDestination) {
  for (const CompressionRow& row : compressions()) {
    const CancelToken token;
    BackupPipeline pipeline{small_options(row.compression), token};
    const std::string text = random_text(1 << 20);
    std::optional<ErrorCode> code;
    std::thread dump{[&] {
      code = error_of([&] {
        while (true) pipeline.input().write(bytes_of(text));
      });
    }};
    // Nobody takes anything: once bytes have come through, the dump blocks at the latest when the
    // queues are full.
    pipeline.destination(0).peek();
    token.cancel(Error{ErrorCode::Cancelled, "cancelled"});
    dump.join();
    EXPECT_EQ(code, ErrorCode::Cancelled) << row.name;
    EXPECT_EQ(error_of([&] { pipeline.destination(0).peek(); }), ErrorCode::Cancelled);
  }
}

/// Counts the calls of all its stages and fails one of them.
struct FaultPlan {
  explicit FaultPlan(int nth) : fail_call{nth} {}
  void call() {
    if (++calls == fail_call) {
      fired = true;
      throw kBroken;
    }
  }
  const int fail_call;
  std::atomic<int> calls{0};
  std::atomic<bool> fired{false};
};

class FaultyStage final : public Stage {
 public:
  FaultyStage(SinkPtr next, FaultPlan& plan) : Stage{std::move(next)}, plan_{plan} {}
  void write(Bytes bytes) override {
    plan_.call();
    next().write(bytes);
  }
  void finish() override {
    plan_.call();
    next().finish();
  }

 private:
  FaultPlan& plan_;
};

TEST(BackupPipeline, GivesNoDestinationAnEndWhenAnyCallOfAnyStageFails) {
  const std::string text = dump_like(400'000) + random_text(300'000);
  const AgeIdentity identity = AgeIdentity::generate();
  for (const Compression compression : {Compression::None, Compression::Gzip, Compression::Zstd}) {
    for (int nth = 1;; ++nth) {
      FaultPlan plan{nth};
      const CancelToken token;
      FanOut fan_out = FanOut::open(2, token, {.block_size = 64 * 1024, .block_count = 2});
      const auto faulty = [&plan](SinkPtr next) {
        return std::make_unique<FaultyStage>(std::move(next), plan);
      };
      SinkPtr chain = faulty(std::make_unique<HashStage>(faulty(std::move(fan_out.writer)),
                                                         std::make_shared<StreamTally>()));
      chain = make_seal_stage(std::move(chain), {identity.recipient()});
      chain = std::make_unique<AsyncStage>(faulty(std::move(chain)), token,
                                           RingLimits{.block_size = 64 * 1024, .block_count = 2});
      chain = codec(compression).compressor(faulty(std::move(chain)), {.threads = 2});
      GuardedChain input{faulty(std::move(chain)), token};
      ReadingThread first{fan_out.readers[0]};
      ReadingThread second{fan_out.readers[1]};
      const auto code = error_of([&] {
        write_split(input, text, 200'000);
        input.finish();
      });
      first.join();
      second.join();
      if (!plan.fired) {
        EXPECT_FALSE(code);
        EXPECT_TRUE(first.reached_end && second.reached_end);
        break;
      }
      EXPECT_EQ(code, ErrorCode::Unavailable) << "failed at call " << nth;
      for (ReadingThread* reading : {&first, &second}) {
        EXPECT_FALSE(reading->reached_end) << "failed at call " << nth;
        ASSERT_TRUE(reading->cause);
        EXPECT_STREQ(reading->cause->what(), kBroken.what());
      }
    }
  }
}

}  // namespace
}  // namespace dbackup::host
