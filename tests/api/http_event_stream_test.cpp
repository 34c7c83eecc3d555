// Event streams over the real server.
#include <gtest/gtest.h>

#include "tests/api/http_test_server.hpp"
#include "tests/support/raw_http_client.hpp"

namespace dbackup::test {
namespace {

std::shared_ptr<host::HttpEventStream> open_stream(TestServer& server, RawHttpClient& client) {
  EXPECT_TRUE(client.send(raw_get("/events")));
  EXPECT_TRUE(eventually([&] { return server.handler.stream() != nullptr; }));
  return server.handler.stream();
}

TEST(HttpEventStream, EachEventArrivesAtOnce) {
  TestServer server;
  RawHttpClient client{server.port()};
  const auto stream = open_stream(server, client);
  std::string seen;
  for (int i = 0; i < 5; ++i) {
    const std::string event =
        host::format_event(static_cast<uint64_t>(i), "log", "line " + std::to_string(i));
    ASSERT_TRUE(stream->push(event));
    while (seen.find(event) == std::string::npos) {
      const std::string more = client.read_some(4096);
      ASSERT_FALSE(more.empty()) << seen;
      seen += more;
    }
  }
}

TEST(HttpEventStream, ClientThatLeavesEndsIt) {
  TestServer server;
  auto client = std::make_unique<RawHttpClient>(server.port());
  const auto stream = open_stream(server, *client);
  client.reset();
  EXPECT_TRUE(eventually([&] { return !stream->is_open(); })) << "noticed without a push";
  EXPECT_FALSE(stream->push("data: x\n\n"));
  EXPECT_EQ(server.handler.stream_ends(), 1);
}

TEST(HttpEventStream, ClientThatDoesNotReadIsDroppedAtTheBound) {
  TestServer server;
  RawHttpClient client{server.port(), {.receive_buffer = 4096}};
  const auto stream = open_stream(server, client);
  const std::string event(8192, 'x');
  EXPECT_TRUE(eventually([&] { return !stream->push(event); }));
  EXPECT_TRUE(eventually(
      [&] { return server.handler.stream_ends() == 1 && server.server.connections() == 0; }));
}

TEST(HttpEventStream, SilentStreamSendsComments) {
  auto options = quick_options();
  options.deadlines.comment = std::chrono::milliseconds{40};
  TestServer server{options};
  RawHttpClient client{server.port()};
  const auto stream = open_stream(server, client);
  std::string seen;
  while (seen.find(":\n\n:\n\n") == std::string::npos) {
    const std::string more = client.read_some(4096);
    ASSERT_FALSE(more.empty()) << seen;
    seen += more;
  }
}

TEST(HttpEventStream, FormatKeepsLinesOfData) {
  EXPECT_EQ(host::format_event(7, "log", "a\nb"), "id: 7\nevent: log\ndata: a\ndata: b\n\n");
  EXPECT_EQ(host::format_event(std::nullopt, "", ""), "data: \n\n");
}

TEST(HttpEventStream, OutlivesTheServer) {
  std::shared_ptr<host::HttpEventStream> stream;
  {
    TestServer server;
    RawHttpClient client{server.port()};
    stream = open_stream(server, client);
  }
  EXPECT_FALSE(stream->push("data: x\n\n"));
}

}  // namespace
}  // namespace dbackup::test
