// Bodies relayed from a descriptor.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>

#include "tests/api/http_test_server.hpp"
#include "tests/support/raw_http_client.hpp"

namespace dbackup::test {
namespace {

#ifdef DBACKUP_SANITIZED
constexpr size_t kMemoryBound = size_t{96}
                                << 20;  // freed blocks stay in the sanitizer's quarantine
#else
constexpr size_t kMemoryBound = size_t{8} << 20;
#endif

TEST(HttpRelay, ArrivesWholeWithAndWithoutALength) {
  TestServer server;
  RawHttpClient client{server.port()};
  for (const uint64_t bytes : {0u, 1u, 65536u, 262144u, 3'000'000u}) {
    const auto sized = client.ask(raw_get(fmt::format("/relay?bytes={}&length={}", bytes, bytes)));
    ASSERT_TRUE(sized && sized->complete) << bytes;
    EXPECT_EQ(sized->header("Content-Length"), std::to_string(bytes));
    EXPECT_EQ(sized->body, pattern(0, bytes));
    const auto chunked = client.ask(raw_get(fmt::format("/relay?bytes={}", bytes)));
    ASSERT_TRUE(chunked && chunked->complete) << bytes;
    EXPECT_EQ(chunked->header("Transfer-Encoding"), "chunked");
    EXPECT_EQ(chunked->body, pattern(0, bytes));
  }
  EXPECT_TRUE(
      eventually([&] { return server.handler.relay_ends() == std::vector<bool>(10, true); }));
}

TEST(HttpRelay, OldVersionGetsABodyThatEndsWithTheConnection) {
  TestServer server;
  RawHttpClient client{server.port()};
  const auto answer =
      client.ask("GET /relay?bytes=500000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_TRUE(answer && answer->complete);
  EXPECT_EQ(answer->header("Connection"), "close");
  EXPECT_EQ(answer->body, pattern(0, 500'000));
}

TEST(HttpRelay, FailedSourceGivesAnIncompleteBody) {
  TestServer server;
  // Failed by its verdict, with fewer and with more bytes than announced.
  const std::vector<std::string> cases{
      "bytes=500000&end=failed", "bytes=500000&length=500000&end=failed", "bytes=0&end=failed",
      "bytes=400000&length=500000", "bytes=600000&length=500000"};
  for (const auto& query : cases) {
    RawHttpClient client{server.port()};
    const auto answer = client.ask(raw_get("/relay?" + query));
    ASSERT_TRUE(answer) << query;
    EXPECT_FALSE(answer->complete) << query;
  }
  RawHttpClient old{server.port()};
  const auto answer = old.ask("GET /relay?bytes=500&end=failed HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(!answer || !answer->complete) << "only a reset can tell this client";
  EXPECT_TRUE(eventually(
      [&] { return server.handler.relay_ends() == std::vector<bool>(cases.size() + 1, false); }));
}

TEST(HttpRelay, LateVerdictIsWaitedFor) {
  TestServer server;
  RawHttpClient client{server.port()};
  for (const char* query : {"bytes=1000&end=late", "bytes=1000&length=1000&end=late"}) {
    const auto answer = client.ask(raw_get(fmt::format("/relay?{}", query)));
    ASSERT_TRUE(answer && answer->complete) << query;
    EXPECT_EQ(answer->body, pattern(0, 1000));
  }
}

TEST(HttpRelay, VerdictThatNeverComesEndsTheAnswer) {
  auto options = quick_options();
  options.deadlines.verdict = std::chrono::milliseconds{100};
  TestServer server{options};
  RawHttpClient client{server.port()};
  const auto answer = client.ask(raw_get("/relay?bytes=1000&end=never"));
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->complete);
}

TEST(HttpRelay, GigabyteToASlowReaderTakesNoMemoryAndNoTimeFromOthers) {
  TestServer server;
  constexpr uint64_t kBytes = uint64_t{1} << 30;
  RawHttpClient slow{server.port(), {.receive_buffer = 64 << 10}};
  RawHttpClient other{server.port()};
  ASSERT_TRUE(other.ask(raw_get("/quick?id=0")));
  const size_t memory_before = resident_bytes();
  const auto cpu_before = cpu_time();
  ASSERT_TRUE(slow.send(raw_get(fmt::format("/relay?bytes={}&length={}", kBytes, kBytes))));

  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos) head += slow.read_some(1);
  std::vector<char> block(size_t{1} << 20);
  uint64_t received = 0;
  const auto receive = [&](size_t size) {
    const ssize_t n = ::recv(slow.fd(), block.data(), std::min(size, block.size()), 0);
    if (n > 0 && pattern(received, 64)
                         .compare(0, std::min<size_t>(64, static_cast<size_t>(n)), block.data(),
                                  std::min<size_t>(64, static_cast<size_t>(n))) != 0) {
      ADD_FAILURE() << "wrong bytes at " << received;
    }
    received += n > 0 ? static_cast<uint64_t>(n) : 0;
    return n > 0;
  };
  // Slowly: another client is served between any two reads.
  while (received < (uint64_t{24} << 20)) {
    ASSERT_TRUE(receive(size_t{64} << 10));
    const auto answer = other.ask(raw_get("/quick?id=1"));
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->status, 200);
  }
  EXPECT_LT(resident_bytes(), memory_before + kMemoryBound);
  // Not at all: waiting for the client costs nothing. The other client's socket stays silent for
  // the time watched.
  const auto cpu_stopped = cpu_time();
  RawHttpClient silent{server.port(), {.patience = std::chrono::milliseconds{300}}};
  EXPECT_EQ(silent.read_some(1), "");
  EXPECT_LT(cpu_time() - cpu_stopped, std::chrono::milliseconds{100});
  EXPECT_TRUE(server.handler.relay_ends().empty());
  // The rest at full speed.
  const auto began = std::chrono::steady_clock::now();
  while (received < kBytes) ASSERT_TRUE(receive(block.size()));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  EXPECT_EQ(received, kBytes);
  EXPECT_LT(resident_bytes(), memory_before + kMemoryBound);
  EXPECT_TRUE(eventually([&] { return server.handler.relay_ends() == std::vector<bool>{true}; }));
  RecordProperty("megabytes_per_second", std::to_string(1000.0 / took.count()));
  RecordProperty("cpu_ms", std::to_string((cpu_time() - cpu_before).count() / 1000));
  std::printf("relay: %.0f MB/s\n", 1000.0 / took.count());
}

TEST(HttpRelay, ClientKilledMidStreamFreesEverything) {
  TestServer server;
  {
    RawHttpClient warm{server.port()};
    ASSERT_TRUE(warm.ask(raw_get("/relay?bytes=10")));
  }
  ASSERT_TRUE(eventually([&] { return server.server.connections() == 0; }));
  const size_t descriptors = open_descriptors();
  for (int i = 0; i < 8; ++i) {
    RawHttpClient client{server.port()};
    ASSERT_TRUE(client.send(raw_get("/relay?bytes=1000000000")));
    ASSERT_FALSE(client.read_some(1000).empty());
    client.kill();
  }
  EXPECT_TRUE(eventually([&] { return server.handler.relay_ends().size() == 9; }));
  const auto ends = server.handler.relay_ends();
  EXPECT_EQ(std::count(ends.begin(), ends.end(), true), 1);
  EXPECT_TRUE(eventually([&] {
    return server.server.connections() == 0 && open_descriptors() == descriptors;
  })) << open_descriptors()
      << " descriptors, " << descriptors << " before";
}

}  // namespace
}  // namespace dbackup::test
