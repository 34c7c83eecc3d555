// The faults known of the TCP library's own HTTP layer, each as one client against the real server.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/api/http_test_server.hpp"
#include "tests/support/raw_http_client.hpp"

namespace dbackup::test {
namespace {

constexpr auto kUnhurried = std::chrono::milliseconds{5000};

TEST(HttpServer, SlowReaderDoesNotStallOtherConnections) {
  TestServer server;
  std::vector<std::unique_ptr<RawHttpClient>> readers;
  for (int i = 0; i < 4; ++i) {  // at least one on each reactor thread
    readers.push_back(std::make_unique<RawHttpClient>(
        server.port(), RawHttpClient::Options{.receive_buffer = 4096}));
    ASSERT_TRUE(readers.back()->send(raw_get("/big?bytes=8000000")));
  }
  ASSERT_TRUE(eventually([&] { return server.handler.handled() == 4; }));
  const auto cpu_before = cpu_time();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    RawHttpClient probe{server.port()};
    const auto answer = probe.ask(raw_get("/quick?id=1"));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, kUnhurried);
  EXPECT_LT(cpu_time() - cpu_before, std::chrono::milliseconds{1000});
  const auto answer = readers[0]->read_response();  // and the slow one still gets everything
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, pattern(0, 8'000'000));
}

TEST(HttpServer, ChunkEndSplitBetweenReadsIsRead) {
  TestServer server;
  RawHttpClient client{server.port()};
  ASSERT_TRUE(client.send(
      "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r"));
  RawHttpClient other{server.port()};
  for (int i = 0; i < 4; ++i)
    ASSERT_TRUE(other.ask(raw_get("/health")));  // the first bytes have been read by now
  const auto answer = client.ask("\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "abc");
}

TEST(HttpServer, UploadOfManySmallChunksArrivesWhole) {
  TestServer server;
  RawHttpClient client{server.port()};
  std::string wire = "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string body = pattern(0, 1'000'000);
  for (size_t at = 0; at < body.size(); at += 250) wire += "fa\r\n" + body.substr(at, 250) + "\r\n";
  const auto answer = client.ask(wire + "0\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, body);
}

TEST(HttpServer, AnswersNeverReachAnotherClient) {
  TestServer server;
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::atomic<int> lost{0};
  std::atomic<int> left{0};
  std::atomic<int> checked{1};
  std::atomic<int> refused{0};
  std::vector<std::thread> leavers;
  for (int i = 0; i < 2; ++i) {
    leavers.emplace_back([&, i] {
      while (!stop) {
        if (left > 4 * checked) {  // as many as do harm, not as many as the machine can make
          std::this_thread::yield();
          continue;
        }
        ++left;
        RawHttpClient client{server.port()};
        client.send(raw_get(fmt::format("/{}?id=leaver", i == 0 ? "quick" : "slow")));
        client.kill();
      }
    });
  }
  std::vector<std::thread> checkers;
  for (int i = 0; i < 3; ++i) {
    checkers.emplace_back([&, i] {
      for (int n = 0; n < 1000; ++n) {
        const std::string id = fmt::format("{}-{}", i, n);
        RawHttpClient client{server.port()};
        const auto answer = client.ask(raw_get("/quick?id=" + id));
        ++checked;
        if (!answer) {  // the leavers may fill the table; a refusal is not a loss
          ++(client.closed_by_peer() ? refused : lost);
        } else if (answer->status != 503 && answer->body != fmt::format(R"({{"id":"{}"}})", id)) {
          ++wrong;
        }
      }
    });
  }
  for (auto& checker : checkers) checker.join();
  stop = true;
  for (auto& leaver : leavers) leaver.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(lost, 0);
  EXPECT_LT(refused, 300) << "of 3000";
}

TEST(HttpServer, TargetOfManySlashesIsRefused) {
  TestServer server;
  for (const auto& [slashes, status] : {std::pair{50'000, 431}, std::pair{10'000, 400}}) {
    RawHttpClient client{server.port()};
    const auto answer = client.ask(raw_get(std::string(static_cast<size_t>(slashes), '/')));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, status);
  }
  RawHttpClient client{server.port()};
  EXPECT_EQ(client.ask(raw_get("/health"))->status, 200);
}

TEST(HttpServer, AnswerToAClientThatLeftIsDropped) {
  TestServer server;
  for (int i = 0; i < 4; ++i) {
    RawHttpClient client{server.port()};
    ASSERT_TRUE(client.send(raw_get("/hold")));
    ASSERT_TRUE(eventually([&] { return server.handler.held() == i + 1; }));
    client.kill();
  }
  server.handler.release();
  EXPECT_TRUE(eventually([&] { return server.server.connections() == 0; }));
  RawHttpClient client{server.port()};
  EXPECT_EQ(client.ask(raw_get("/health"))->status, 200);
}

TEST(HttpServer, NoConnectionOrAnswerWaitsForTheNextOne) {
  TestServer server;
  std::atomic<int> missing{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) {
        RawHttpClient client{server.port(), {.patience = std::chrono::milliseconds{5000}}};
        if (!client.ask(raw_get("/quick?id=1"))) ++missing;
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(missing, 0);
}

TEST(HttpServer, EventsArePushedFromAnyThread) {
  TestServer server;
  RawHttpClient client{server.port()};
  ASSERT_TRUE(client.send(raw_get("/events")));
  ASSERT_TRUE(eventually([&] { return server.handler.stream() != nullptr; }));
  const auto stream = server.handler.stream();
  std::vector<std::thread> pushers;
  for (int i = 0; i < 4; ++i) {
    pushers.emplace_back([&] {
      for (int n = 0; n < 250; ++n) stream->push(host::format_event(1, "tick", "x"));
    });
  }
  for (auto& pusher : pushers) pusher.join();
  stream->close();
  const auto answer = client.read_response();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header("Content-Type"), "text/event-stream");
  EXPECT_EQ(answer->header("Connection"), "close");
  EXPECT_EQ(answer->body.size(), 1000 * host::format_event(1, "tick", "x").size());
  EXPECT_TRUE(eventually([&] { return server.handler.stream_ends() == 1; }));
}

TEST(HttpServer, SilentConnectionDoesNotHoldUpAccepting) {
  TestServer server;
  std::vector<std::unique_ptr<RawHttpClient>> silent;
  for (int i = 0; i < 8; ++i) silent.push_back(std::make_unique<RawHttpClient>(server.port()));
  const auto began = std::chrono::steady_clock::now();
  RawHttpClient client{server.port()};
  EXPECT_EQ(client.ask(raw_get("/health"))->status, 200);
  EXPECT_LT(std::chrono::steady_clock::now() - began, kUnhurried);
}

TEST(HttpServer, RequestHiddenInAnOversizeBodyIsNotExecuted) {
  TestServer server;
  const std::string hidden = raw_get("/quick?id=hidden");
  for (const std::string& wire :
       {raw_post("/small", hidden + hidden),
        "POST /small HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n" + hidden +
            hidden}) {
    RawHttpClient client{server.port()};
    const auto answer = client.ask(wire);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 413);
    EXPECT_EQ(answer->header("Connection"), "close");
    EXPECT_EQ(client.read_to_end(), "");
  }
  EXPECT_EQ(server.handler.handled(), 0);
}

TEST(HttpServer, ExceptionOfAnyTypeIsA500WithoutItsText) {
  TestServer server;
  for (const char* path : {"/throw", "/throw42", "/throw-route"}) {
    RawHttpClient client{server.port()};
    const auto answer = client.ask(raw_get(path));
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->status, 500);
    EXPECT_EQ(answer->body, R"({"success":false,"error":"internal error"})");
    EXPECT_EQ(answer->header("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(client.ask(raw_get("/health"))->status, 200) << "the connection lives on";
  }
}

}  // namespace
}  // namespace dbackup::test
