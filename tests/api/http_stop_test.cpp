// How the server begins and ends.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "base/error.hpp"
#include "tests/api/http_test_server.hpp"
#include "tests/support/raw_http_client.hpp"

namespace dbackup::test {
namespace {

using std::chrono::milliseconds;

TEST(HttpStop, AnswerInFlightIsFinished) {
  TestServer server;
  RawHttpClient idle{server.port()};
  RawHttpClient client{server.port()};
  ASSERT_TRUE(idle.ask(raw_get("/health")));
  ASSERT_TRUE(client.send(raw_get("/hold")));
  ASSERT_TRUE(eventually([&] { return server.handler.held() == 1; }));
  auto stopped = std::async(std::launch::async,
                            [&] { return server.server.drain_and_stop(milliseconds{10'000}); });
  EXPECT_TRUE(idle.closed_by_peer()) << "idle connections go first";
  server.handler.release();
  const auto answer = client.read_response();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->header("Connection"), "close");
  EXPECT_TRUE(stopped.get());
  EXPECT_THROW(RawHttpClient{server.port()}, std::runtime_error) << "nobody listens any more";
}

TEST(HttpStop, RelayInFlightIsFinished) {
  TestServer server;
  RawHttpClient client{server.port(), {.receive_buffer = 65536}};
  ASSERT_TRUE(client.send(raw_get("/relay?bytes=30000000")));
  ASSERT_TRUE(eventually([&] { return server.handler.handled() == 1; }));
  auto stopped = std::async(std::launch::async,
                            [&] { return server.server.drain_and_stop(milliseconds{10'000}); });
  const auto answer = client.read_response();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->complete);
  EXPECT_EQ(answer->body.size(), 30'000'000u);
  EXPECT_TRUE(stopped.get());
}

TEST(HttpStop, WaitIsBounded) {
  TestServer server;
  RawHttpClient client{server.port(), {.receive_buffer = 4096}};
  ASSERT_TRUE(client.send(raw_get("/relay?bytes=100000000")));
  ASSERT_TRUE(eventually([&] { return server.handler.handled() == 1; }));
  const auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(server.server.drain_and_stop(milliseconds{100}));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{3});
  EXPECT_EQ(server.handler.relay_ends(), std::vector<bool>{false});
}

TEST(HttpStop, EventStreamEndsAfterWhatWasPushed) {
  TestServer server;
  RawHttpClient client{server.port()};
  ASSERT_TRUE(client.send(raw_get("/events")));
  ASSERT_TRUE(eventually([&] { return server.handler.stream() != nullptr; }));
  ASSERT_TRUE(server.handler.stream()->push("data: last\n\n"));
  EXPECT_TRUE(server.server.drain_and_stop(milliseconds{5000}));
  const auto answer = client.read_response();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "data: last\n\n");
}

TEST(HttpStop, AddressInUseIsAnErrorThatNamesIt) {
  TestServer server;
  host::HttpServerOptions options = quick_options();
  options.port = server.port();
  TestHandler handler;
  host::HttpServer second{options, handler};
  try {
    second.start();
    FAIL() << "two servers on one port";
  } catch (const host::Error& error) {
    EXPECT_EQ(error.code(), host::ErrorCode::Unavailable);
    EXPECT_NE(std::string{error.what()}.find("127.0.0.1:" + std::to_string(server.port())),
              std::string::npos)
        << error.what();
  }
}

TEST(HttpStop, StoppingUnderLoadLosesNoThread) {
  for (int round = 0; round < 10; ++round) {
    auto server = std::make_unique<TestServer>();
    std::atomic<bool> stop{false};
    std::vector<std::thread> clients;
    for (int i = 0; i < 3; ++i) {
      clients.emplace_back([&, port = server->port()] {
        while (!stop) {
          try {
            // One taken from the backlog in the last moment hangs until the process ends: not for
            // long here.
            RawHttpClient client{port, {.patience = milliseconds{100}}};
            client.ask(raw_get("/quick?id=1"));
            client.ask(raw_get("/relay?bytes=100000"));
          } catch (const std::runtime_error&) {
            return;  // stopped
          }
        }
      });
    }
    ASSERT_TRUE(eventually([&] { return server->handler.handled() > 20; }));
    server->server.drain_and_stop(milliseconds{200});
    stop = true;
    for (auto& client : clients) client.join();
  }
}

}  // namespace
}  // namespace dbackup::test
