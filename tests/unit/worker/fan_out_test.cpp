#include "worker/pipeline/fan_out.hpp"

#include <algorithm>
#include <latch>

#include "pipeline_support.hpp"
#include "worker/pipeline/async_stage.hpp"
#include "worker/pipeline/block_ring.hpp"

namespace dbackup::host {
namespace {

using namespace test;

const Error kBroken{ErrorCode::Unavailable, "the line is broken"};

TEST(BoundedPipe, GivesTheReaderWhatWasWrittenAndThenTheEnd) {
  const std::string text = random_text(1 << 20);
  for (const size_t block : {size_t{1000}, size_t{4096}, size_t{1} << 21}) {
    const CancelToken token;
    BoundedPipe pipe = BoundedPipe::open(token, {.block_size = block, .block_count = 3});
    ReadingThread reading{pipe.reader};
    write_split(*pipe.writer, text, 5000);
    pipe.writer->finish();
    reading.join();
    EXPECT_TRUE(reading.reached_end);
    EXPECT_TRUE(pipe.reader.reached_end());
    EXPECT_EQ(reading.bytes, text);
  }
}

TEST(BoundedPipe, GivesNoEndWhenTheWriterGoesWithoutFinishing) {
  const CancelToken token;
  BoundedPipe pipe = BoundedPipe::open(token, {.block_size = 4});
  pipe.writer->write(bytes_of("abcdefgh"));
  pipe.writer.reset();
  ReadingThread reading{pipe.reader};
  reading.join();
  EXPECT_FALSE(reading.reached_end);
  ASSERT_TRUE(reading.cause);
  EXPECT_EQ(reading.cause->code(), ErrorCode::Aborted);
}

TEST(BoundedPipe, TellsTheReaderWhyItWasAborted) {
  const CancelToken token;
  BoundedPipe pipe = BoundedPipe::open(token, {.block_size = 4});
  ReadingThread reading{pipe.reader};
  pipe.writer->write(bytes_of("ab"));
  pipe.writer->abort(make_cause(kBroken));
  reading.join();
  EXPECT_FALSE(reading.reached_end);
  ASSERT_TRUE(reading.cause);
  EXPECT_STREQ(reading.cause->what(), "the line is broken");
}

TEST(BoundedPipe, TellsTheWriterWhyTheReaderFailed) {
  const CancelToken token;
  BoundedPipe pipe = BoundedPipe::open(token, {.block_size = 4, .block_count = 1});
  std::thread failing{[&] {
    EXPECT_FALSE(pipe.reader.peek().empty());
    pipe.reader.fail(kBroken);
  }};
  const auto code = error_of([&] {
    while (true) pipe.writer->write(bytes_of("abcd"));
  });
  failing.join();
  EXPECT_EQ(code, ErrorCode::Unavailable);
}

TEST(BoundedPipe, ReadsInPiecesSmallerThanABlock) {
  const CancelToken token;
  BoundedPipe pipe = BoundedPipe::open(token, {.block_size = 8});
  pipe.writer->write(bytes_of("hello, world"));
  pipe.writer->finish();
  std::string text;
  std::array<std::byte, 5> buffer{};
  while (const size_t count = pipe.reader.read(buffer))
    text.append(reinterpret_cast<const char*>(buffer.data()), count);
  EXPECT_EQ(text, "hello, world");
  EXPECT_EQ(pipe.reader.read(buffer), 0U);
}

TEST(BoundedPipe, CancellingWakesABlockedReaderAndABlockedWriter) {
  const CancelToken token;
  BoundedPipe empty = BoundedPipe::open(token);
  BoundedPipe full = BoundedPipe::open(token, {.block_size = 4, .block_count = 1});
  full.writer->write(bytes_of("abcd"));
  std::latch running{3};
  std::optional<ErrorCode> read_code;
  std::optional<ErrorCode> write_code;
  std::thread reader{[&] {
    running.count_down();
    read_code = error_of([&] { empty.reader.peek(); });
  }};
  std::thread writer{[&] {
    running.count_down();
    write_code = error_of([&] { full.writer->write(bytes_of("efgh")); });
  }};
  running.arrive_and_wait();
  token.cancel(Error{ErrorCode::Cancelled, "cancelled by the user"});
  reader.join();
  writer.join();
  EXPECT_EQ(read_code, ErrorCode::Cancelled);
  EXPECT_EQ(write_code, ErrorCode::Cancelled);
}

TEST(CancelToken, KeepsTheFirstCause) {
  const CancelToken token;
  EXPECT_FALSE(token.is_cancelled());
  EXPECT_EQ(token.cause(), nullptr);
  token.throw_if_cancelled();
  token.cancel(kBroken);
  token.cancel(Error{ErrorCode::Cancelled, "too late"});
  EXPECT_EQ(token.cause()->code(), ErrorCode::Unavailable);
  EXPECT_EQ(error_of([&] { token.throw_if_cancelled(); }), ErrorCode::Unavailable);
}

TEST(FanOut, GivesEveryReaderTheWholeStream) {
  const std::string text = random_text(3 << 20);
  const CancelToken token;
  FanOut fan_out = FanOut::open(3, token, {.block_size = 10000, .block_count = 4});
  ReadingThread first{fan_out.readers[0]};
  ReadingThread second{fan_out.readers[1]};
  ReadingThread third{fan_out.readers[2]};
  write_split(*fan_out.writer, text, 30000);
  fan_out.writer->finish();
  for (ReadingThread* reading : {&first, &second, &third}) {
    reading->join();
    EXPECT_TRUE(reading->reached_end);
    EXPECT_EQ(reading->bytes, text);
  }
}

TEST(FanOut, GoesOnWithTheOthersWhenOneFailsInTheMiddle) {
  const std::string text = random_text(1 << 20);
  for (const size_t fail_at : {size_t{0}, size_t{1}, size_t{4999}, size_t{5000}, size_t{700000}}) {
    const CancelToken token;
    FanOut fan_out = FanOut::open(3, token, {.block_size = 5000, .block_count = 2});
    ReadingThread first{fan_out.readers[0]};
    ReadingThread third{fan_out.readers[2]};
    std::thread failing{[&] {
      size_t got = 0;
      while (got < fail_at) {
        const size_t count = std::min(fan_out.readers[1].peek().size(), fail_at - got);
        fan_out.readers[1].consume(count);
        got += count;
      }
      fan_out.readers[1].fail(kBroken);
    }};
    fan_out.writer->write(bytes_of(text));
    fan_out.writer->finish();
    failing.join();
    first.join();
    third.join();
    EXPECT_EQ(first.bytes, text);
    EXPECT_EQ(third.bytes, text);
    EXPECT_TRUE(first.reached_end && third.reached_end);
    EXPECT_FALSE(fan_out.readers[1].reached_end());
    ASSERT_TRUE(fan_out.readers[1].failure());
    EXPECT_EQ(fan_out.readers[1].failure()->code(), ErrorCode::Unavailable);
  }
}

TEST(FanOut, StopsTheWriterWhenAllReadersHaveFailed) {
  const CancelToken token;
  FanOut fan_out = FanOut::open(2, token, {.block_size = 4, .block_count = 2});
  fan_out.readers[1].fail(kBroken);
  fan_out.writer->write(bytes_of("abcd"));
  fan_out.readers[0].fail(Error{ErrorCode::ResourceExhausted, "full"});
  EXPECT_EQ(error_of([&] { fan_out.writer->write(bytes_of("abcd")); }), ErrorCode::Unavailable);
  EXPECT_TRUE(error_of([&] { fan_out.writer->finish(); }));
}

TEST(FanOut, NeverHoldsMoreBlocksThanItsLimitBehindASlowReader) {
  const CancelToken token;
  constexpr RingLimits kLimits{.block_size = 100, .block_count = 3};
  BlockRing ring{2, token, kLimits};
  const std::string text = random_text(100 * 40);
  std::atomic<size_t> written{0};
  std::thread writer{[&] {
    for (size_t i = 0; i < text.size(); i += 100) {
      ring.write(bytes_of(text).subspan(i, 100));
      ++written;
    }
    ring.finish();
  }};
  // The quick reader is given everything the slow one lets through.
  std::thread quick{[&] {
    for (Bytes bytes = ring.peek(0); !bytes.empty(); bytes = ring.peek(0))
      ring.consume(0, bytes.size());
  }};
  size_t consumed = 0;
  for (Bytes bytes = ring.peek(1); !bytes.empty(); bytes = ring.peek(1)) {
    EXPECT_LE(written, consumed + kLimits.block_count);
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(),
                           bytes_of(text).begin() + static_cast<long>(consumed * 100)));
    ring.consume(1, bytes.size());
    ++consumed;
  }
  writer.join();
  quick.join();
  EXPECT_EQ(consumed, 40U);
  EXPECT_LE(ring.allocated_blocks(), kLimits.block_count);
}

TEST(AsyncStage, PassesOnAllBytesAndTheEnd) {
  const std::string text = random_text(1 << 20);
  const CancelToken token;
  Received received;
  AsyncStage stage{
      std::make_unique<CollectSink>(received), token, {.block_size = 1000, .block_count = 2}};
  write_split(stage, text, 3000);
  stage.finish();
  EXPECT_TRUE(received.finished);
  EXPECT_EQ(received.bytes, text);
}

class FailingSink final : public ByteSink {
 public:
  explicit FailingSink(bool on_finish) : on_finish_{on_finish} {}
  void write(Bytes) override {
    if (!on_finish_) throw kBroken;
  }
  void finish() override { throw kBroken; }
  void abort(const Cause&) noexcept override {}

 private:
  bool on_finish_;
};

TEST(AsyncStage, BringsTheErrorOfItsThreadToTheWriter) {
  for (const bool on_finish : {false, true}) {
    const CancelToken token;
    AsyncStage stage{
        std::make_unique<FailingSink>(on_finish), token, {.block_size = 4, .block_count = 2}};
    const auto code = error_of([&] {
      for (int i = 0; i < 100; ++i) stage.write(bytes_of("abcd"));
      stage.finish();
    });
    EXPECT_EQ(code, ErrorCode::Unavailable);
  }
}

TEST(AsyncStage, AbortsWhatFollowsWhenItGoesUnfinished) {
  Received received;
  {
    const CancelToken token;
    AsyncStage stage{std::make_unique<CollectSink>(received), token};
    stage.write(bytes_of("abc"));
  }
  EXPECT_FALSE(received.finished);
  EXPECT_TRUE(received.aborted);
}

}  // namespace
}  // namespace dbackup::host
