// HTTP/1.1 as clients in the field speak it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/api/http_test_server.hpp"
#include "tests/support/raw_http_client.hpp"

namespace dbackup::test {
namespace {

/// Status of the answer to `wire` sent on a connection of its own; 0 when there is none.
int status_of(const TestServer& server, const std::string& wire) {
  RawHttpClient client{server.port()};
  const auto answer = client.ask(wire);
  return answer ? answer->status : 0;
}

TEST(HttpProtocol, ConnectionStaysOpenWithoutAConnectionField) {
  TestServer server;
  RawHttpClient client{server.port()};
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.ask(raw_get("/quick?id=1"));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->header("Connection"), "");
  }
}

TEST(HttpProtocol, ConnectionCloseIsHonoured) {
  TestServer server;
  RawHttpClient client{server.port()};
  const auto answer = client.ask(raw_get("/quick?id=1", "Connection: close\r\n"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->header("Connection"), "close");
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(HttpProtocol, OldVersionClosesUnlessAskedToStay) {
  TestServer server;
  RawHttpClient leaving{server.port()};
  EXPECT_EQ(leaving.ask("GET /health HTTP/1.0\r\n\r\n")->header("Connection"), "close");
  EXPECT_TRUE(leaving.closed_by_peer());
  RawHttpClient staying{server.port()};
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(
        staying.ask("GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")->header("Connection"),
        "keep-alive");
  }
}

TEST(HttpProtocol, PipelinedRequestsAreAnsweredInOrder) {
  TestServer server;
  RawHttpClient client{server.port()};
  std::string wire;
  for (int i = 0; i < 60; ++i) {
    wire += raw_get(fmt::format("/{}?id={}",
                                i % 3 == 0   ? "quick"
                                : i % 3 == 1 ? "slow"
                                             : "inspect",
                                i));
    wire += raw_post("/echo", fmt::format("body {}", i));
  }
  ASSERT_TRUE(client.send(wire));
  client.finish_sending();
  for (int i = 0; i < 60; ++i) {
    const auto answer = client.read_response();
    ASSERT_TRUE(answer) << i;
    EXPECT_NE(answer->body.find(i % 3 == 2 ? fmt::format("&id={}", i) : fmt::format("\"{}\"", i)),
              std::string::npos)
        << answer->body;
    const auto echo = client.read_response();
    ASSERT_TRUE(echo) << i;
    EXPECT_EQ(echo->body, fmt::format("body {}", i));
  }
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(HttpProtocol, FloodOfPipelinedRequestsDropsTheClient) {
  TestServer server;
  RawHttpClient client{server.port()};
  ASSERT_TRUE(client.send(raw_get("/hold")));
  ASSERT_TRUE(eventually([&] { return server.handler.held() == 1; }));
  const std::string request = raw_get("/health");
  std::string flood;
  while (flood.size() < 200'000) flood += request;
  client.send(flood);
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(HttpProtocol, HeadGetsTheLengthAndNoBody) {
  TestServer server;
  RawHttpClient client{server.port()};
  for (const char* path :
       {"/quick?id=1", "/big?bytes=100000", "/relay?bytes=100000&length=100000"}) {
    const auto answer = client.ask(fmt::format("HEAD {} HTTP/1.1\r\nHost: t\r\n\r\n", path), true);
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->header("Content-Length"), path[1] == 'q' ? "10" : "100000");
  }
  EXPECT_EQ(client.ask(raw_get("/quick?id=1"))->body, R"({"id":"1"})")
      << "nothing of the bodies was sent";
  EXPECT_TRUE(eventually([&] { return server.handler.relay_ends() == std::vector<bool>{false}; }));
}

TEST(HttpProtocol, ExpectContinueIsAnsweredOnlyWhenTheBodyIsWanted) {
  TestServer server;
  RawHttpClient client{server.port()};
  ASSERT_TRUE(client.send(
      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n"));
  EXPECT_EQ(client.read_response()->status, 100);
  EXPECT_EQ(client.ask("hello")->body, "hello");
  RawHttpClient refused{server.port()};
  ASSERT_TRUE(refused.send(
      "POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 50\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(refused.read_response()->status, 413);
  RawHttpClient unknown{server.port()};
  ASSERT_TRUE(unknown.send(
      "POST /none HTTP/1.1\r\nHost: t\r\nContent-Length: 50\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(unknown.read_response()->status, 404);
  EXPECT_EQ(status_of(server, raw_post("/echo", "x", "Expect: a-miracle\r\n")), 417);
}

TEST(HttpProtocol, SmallBodyOfARefusedRequestKeepsTheConnection) {
  TestServer server;
  RawHttpClient client{server.port()};
  EXPECT_EQ(client.ask(raw_post("/none", std::string(1000, 'x')))->status, 404);
  EXPECT_EQ(client.ask(raw_get("/health"))->status, 200);
  EXPECT_EQ(client.ask(raw_post("/none", std::string(100'000, 'x')))->header("Connection"),
            "close");
}

TEST(HttpProtocol, BrokenRequestsAreRefusedWithTheStandardBody) {
  TestServer server;
  const std::string get = "GET /health HTTP/1.1\r\nHost: t\r\n";
  const std::string post = "POST /echo HTTP/1.1\r\nHost: t\r\n";
  std::string many_fields = get;
  for (int i = 0; i < 101; ++i) many_fields += fmt::format("X-{}: 1\r\n", i);
  const std::vector<std::pair<std::string, int>> cases{
      {"GET /health HTTP/1.1\r\n\r\n", 400},
      {get + "Host: u\r\n\r\n", 400},
      {post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
      {post + "Content-Length: 3x\r\n\r\nabc", 400},
      {post + "Content-Length: -1\r\n\r\n", 400},
      {post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {post + "Transfer-Encoding: identity\r\n\r\n", 501},
      {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n", 400},
      {"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(20'000, 'x'), 400},
      {post + "Content-Length: 2000000\r\n\r\n", 413},
      {post + "Content-Length: 18446744073709551615\r\n\r\n", 413},
      {post + "Transfer-Encoding: chunked\r\n\r\n7fffffffffff\r\n", 413},
      {get + "no colon here\r\n\r\n", 400},
      {get + std::string("X: a\0b\r\n\r\n", 10), 400},
      {get + std::string("X\0: a\r\n\r\n", 9), 400},
      {get + "X: a\nY: b\r\n\r\n", 400},
      {"GET /health HTTP/2.0\r\nHost: t\r\n\r\n", 505},
      {"\x16\x03\x01\x02\x00\x01", 400},
      {many_fields + "\r\n", 431},
      {get + "X: " + std::string(20'000, 'x') + "\r\n\r\n", 431},
      {raw_get("/inspect/%zz"), 400},
      {raw_get("/inspect/%00"), 400},
      {raw_get("/inspect/%ff"), 400},
      {raw_get("/inspect?a=%4"), 400},
      {raw_get("/inspect?a=%00"), 400},
      {raw_get("inspect"), 400},
      {raw_get("*"), 400},
      {raw_get("/a#b"), 400},
  };
  for (const auto& [wire, status] : cases) {
    RawHttpClient client{server.port()};
    const auto answer = client.ask(wire);
    ASSERT_TRUE(answer) << wire;
    EXPECT_EQ(answer->status, status) << wire.substr(0, 200);
    EXPECT_TRUE(answer->body.starts_with(R"({"success":false,"error":")")) << answer->body;
    EXPECT_EQ(answer->header("Content-Type"), "application/json");
    EXPECT_EQ(answer->header("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(answer->header("Connection"), "close");
    EXPECT_EQ(client.read_to_end(), "");
  }
  EXPECT_EQ(server.handler.handled(), 0);
}

TEST(HttpProtocol, HeadInManyPiecesHasTheSameLimit) {
  TestServer server;
  RawHttpClient client{server.port()};
  bool sent = client.send("GET /health HTTP/1.1\r\nHost: t\r\n");
  RawHttpClient other{server.port()};
  for (int i = 0; i < 90 && sent; ++i) {
    sent = client.send(fmt::format("X-{}: {}\r\n", i, std::string(300, 'x')));
    if (i % 10 == 0) {
      ASSERT_TRUE(other.ask(raw_get("/health")));  // let the server read the piece
    }
  }
  const auto answer = client.read_response();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 431);
}

TEST(HttpProtocol, UnusualButValidRequestsAreServed) {
  TestServer server;
  const std::string get = "GET /health HTTP/1.1\r\nHost: t\r\n";
  for (const std::string& wire :
       {get + "Accept: *; q=.2\r\nCookie: x\r\nCache-Control: No-Cache, what=ever\r\nContent-Type: "
              "\r\n\r\n",
        get + "X-Folded: a\r\n b\r\n\r\n", "\r\n\r\n" + get + "\r\n",
        std::string{"GET http://test:80/health HTTP/1.1\r\nHost: t\r\n\r\n"},
        std::string{"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: "
                    "CHUNKED\r\n\r\n3;name=\"v\"\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n"},
        get + "Host2: h:\r\n\r\n"}) {
    EXPECT_EQ(status_of(server, wire), 200) << wire;
  }
}

TEST(HttpProtocol, HandlerSeesDecodedSegmentsQueryAndAddress) {
  TestServer server;
  RawHttpClient client{server.port()};
  EXPECT_EQ(client.ask(raw_get("/inspect/a%2Fb/c%20d/%C3%A4+?x=1+2&x=%26&empty="))->body,
            "GET 127.0.0.1|inspect|a/b|c d|\xC3\xA4+&x=1 2&x=&&empty=");
  EXPECT_EQ(client.ask("BREW /inspect/ HTTP/1.1\r\nHost: t\r\n\r\n")->body,
            "BREW 127.0.0.1|inspect|");
}

TEST(HttpProtocol, DualStackListenerSeesPlainAddresses) {
  auto options = quick_options();
  options.address = "::";
  TestServer server{options};
  RawHttpClient client{server.port()};
  EXPECT_EQ(client.ask(raw_get("/inspect"))->body, "GET 127.0.0.1|inspect");
}

TEST(HttpProtocol, HeaderValueCannotBeginANewLine) {
  TestServer server;
  RawHttpClient client{server.port()};
  const auto answer = client.ask(raw_get("/inject"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header("X-Injected"), "");
  EXPECT_EQ(answer->header("X-Name"), "a  X-Injected: 1");
}

TEST(HttpProtocol, HalfClosedClientGetsItsAnswer) {
  TestServer server;
  RawHttpClient client{server.port()};
  ASSERT_TRUE(client.send(raw_get("/hold")));
  client.finish_sending();
  ASSERT_TRUE(eventually([&] { return server.handler.held() == 1; }));
  server.handler.release();
  const auto answer = client.read_response();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(HttpProtocol, FullPoolAnswersBusyWhileTheOtherPoolWorks) {
  auto options = quick_options();
  options.slow = {.threads = 1, .queue = 1};
  TestServer server{options};
  RawHttpClient running{server.port()};
  RawHttpClient waiting{server.port()};
  ASSERT_TRUE(running.send(raw_get("/hold")));
  ASSERT_TRUE(eventually([&] { return server.handler.held() == 1; }));
  ASSERT_TRUE(waiting.send(raw_get("/slow?id=w")));
  RawHttpClient client{server.port()};
  ASSERT_TRUE(eventually([&] {  // the waiting one may still be on its way into the queue
    RawHttpClient refused{server.port(), {.patience = std::chrono::milliseconds{200}}};
    const auto answer = refused.ask(raw_get("/slow?id=r"));
    return answer && answer->status == 503 && answer->header("Retry-After") == "1" &&
           answer->body == R"({"success":false,"error":"server busy"})";
  }));
  EXPECT_EQ(client.ask(raw_get("/quick?id=q"))->status, 200);
  server.handler.release();
  EXPECT_EQ(running.read_response()->status, 200);
  EXPECT_EQ(waiting.read_response()->status, 200);
}

}  // namespace
}  // namespace dbackup::test
