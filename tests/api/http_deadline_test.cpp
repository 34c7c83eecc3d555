// Clients that take their time.
#include <gtest/gtest.h>

#include "tests/api/http_test_server.hpp"
#include "tests/support/raw_http_client.hpp"

namespace dbackup::test {
namespace {

using std::chrono::milliseconds;

TEST(HttpDeadline, IdleConnectionIsClosed) {
  auto options = quick_options();
  options.deadlines.idle = milliseconds{100};
  TestServer server{options};
  RawHttpClient fresh{server.port()};
  RawHttpClient used{server.port()};
  ASSERT_TRUE(used.ask(raw_get("/health")));
  EXPECT_TRUE(fresh.closed_by_peer());
  EXPECT_TRUE(used.closed_by_peer());
}

TEST(HttpDeadline, DrippingHeadIsAnswered408) {
  auto options = quick_options();
  options.deadlines.head = milliseconds{150};
  TestServer server{options};
  RawHttpClient client{server.port(), {.patience = milliseconds{20}}};
  ASSERT_TRUE(client.send("GET /health HTTP/1.1\r\nHost: t\r\nX: "));
  const auto began = std::chrono::steady_clock::now();
  std::optional<RawResponse> answer;
  while (!answer && std::chrono::steady_clock::now() - began < std::chrono::seconds{5}) {
    client.send("x");  // progress does not prolong a head
    answer = client.read_response();
  }
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
}

TEST(HttpDeadline, BodyLivesAsLongAsItProgresses) {
  auto options = quick_options();
  options.deadlines.body = milliseconds{400};
  options.deadlines.head = milliseconds{200};
  TestServer server{options};
  RawHttpClient client{server.port(), {.patience = milliseconds{50}}};
  ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 12\r\n\r\n"));
  for (int i = 0; i < 12; ++i) {  // 600 ms in all
    EXPECT_EQ(client.read_some(1), "");
    ASSERT_TRUE(client.send("x"));
  }
  RawHttpClient stalled{server.port()};
  const auto refused = stalled.ask("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 12\r\n\r\nx");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 408);
  const auto answer = client.read_response();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, std::string(12, 'x'));
}

TEST(HttpDeadline, ReaderThatStopsIsDropped) {
  auto options = quick_options();
  options.deadlines.write = milliseconds{150};
  TestServer server{options};
  RawHttpClient client{server.port(), {.receive_buffer = 4096}};
  ASSERT_TRUE(client.send(raw_get("/relay?bytes=100000000")));
  ASSERT_TRUE(eventually([&] { return server.handler.handled() == 1; }));
  EXPECT_TRUE(eventually([&] { return server.handler.relay_ends() == std::vector<bool>{false}; }));
  EXPECT_TRUE(eventually([&] { return server.server.connections() == 0; }));
}

TEST(HttpDeadline, WorkingHandlerHasNone) {
  auto options = quick_options();
  options.deadlines = {.head = milliseconds{50},
                       .body = milliseconds{50},
                       .write = milliseconds{50},
                       .idle = milliseconds{50},
                       .linger = milliseconds{50}};
  TestServer server{options};
  RawHttpClient client{server.port()};
  ASSERT_TRUE(client.send(raw_get("/hold")));
  RawHttpClient idle{server.port()};
  EXPECT_TRUE(idle.closed_by_peer());  // several deadlines have passed by now
  server.handler.release();
  const auto answer = client.read_response();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
}

TEST(HttpDeadline, ClientThatDoesNotCloseAfterTheLastAnswerIsCut) {
  auto options = quick_options();
  options.deadlines.linger = milliseconds{100};
  TestServer server{options};
  RawHttpClient client{server.port()};
  ASSERT_TRUE(client.ask(raw_get("/health", "Connection: close\r\n")));
  EXPECT_TRUE(eventually([&] { return server.server.connections() == 0; }));
}

}  // namespace
}  // namespace dbackup::test
