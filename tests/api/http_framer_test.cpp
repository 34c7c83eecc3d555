// The framer without a socket.
#include "api/http_framer.hpp"

#include <gtest/gtest.h>

namespace dbackup::test {
namespace {

using host::HttpFramer;
using State = HttpFramer::State;

const HttpFramer::Limits kLimits{};

TEST(HttpFramer, GivesTheSameRequestHoweverTheBytesAreCut) {
  const std::string wire =
      "POST /a?b=c HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nHost: trailer\r\n\r\n";
  for (size_t cut = 1; cut < wire.size(); ++cut) {
    HttpFramer framer{kLimits};
    for (size_t at = 0; at < wire.size(); at += cut) {
      framer.feed(std::string_view{wire}.substr(at, cut));
      if (framer.state() == State::HeadReady) framer.accept_body(100);
    }
    ASSERT_EQ(framer.state(), State::RequestReady) << "pieces of " << cut;
    const auto request = framer.take();
    EXPECT_EQ(request.body, "hello world");
    EXPECT_EQ(request.headers.get("host"), "t") << "trailers are no headers";
    EXPECT_EQ(framer.buffered(), 0u);
    EXPECT_FALSE(framer.mid_request());
  }
}

TEST(HttpFramer, KeepsLaterRequestsUntilTheFirstIsTaken) {
  HttpFramer framer{kLimits};
  framer.feed(
      "GET /1 HTTP/1.1\r\nHost: t\r\n\r\nGET /2 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
  ASSERT_EQ(framer.state(), State::HeadReady);
  ASSERT_EQ(framer.accept_body(0), State::RequestReady);
  EXPECT_TRUE(framer.keep_alive());
  EXPECT_EQ(framer.take().path, "/1");
  ASSERT_EQ(framer.resume(), State::HeadReady);
  ASSERT_EQ(framer.accept_body(0), State::RequestReady);
  EXPECT_FALSE(framer.keep_alive());
  EXPECT_EQ(framer.take().path, "/2");
  EXPECT_EQ(framer.resume(), State::NeedInput);
}

TEST(HttpFramer, StaysFailedWhateverFollows) {
  HttpFramer framer{kLimits};
  EXPECT_EQ(framer.feed("NONSENSE\r\n\r\n"), State::Failed);
  EXPECT_EQ(framer.error().status, 400);
  EXPECT_EQ(framer.feed("GET / HTTP/1.1\r\nHost: t\r\n\r\n"), State::Failed);
  EXPECT_EQ(framer.buffered(), 0u);
}

TEST(HttpFramer, BodyLimitCountsTheBodyAlone) {
  for (const auto& [limit, state] :
       {std::pair{5u, State::RequestReady}, std::pair{4u, State::Failed}}) {
    HttpFramer framer{kLimits};
    framer.feed("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_EQ(framer.accept_body(limit), state);
    HttpFramer chunks{kLimits};
    chunks.feed(
        "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n");
    EXPECT_EQ(chunks.accept_body(limit), state);
    if (state == State::Failed) {
      EXPECT_EQ(chunks.error().status, 413);
    }
  }
}

TEST(HttpFramer, AnnouncedLengthIsNotReservedBeforeItArrives) {
  HttpFramer framer{kLimits};
  framer.feed("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10000000000\r\n\r\n");
  ASSERT_EQ(framer.state(), State::HeadReady);
  EXPECT_EQ(framer.content_length(), 10'000'000'000u);
  EXPECT_EQ(framer.accept_body(1000), State::Failed);
}

TEST(HttpQuery, FirstValueOfARepeatedKeyWins) {
  host::HttpRequest request;
  request.query = *host::parse_query("a=1&b&a=2&&=x&c=%20%2B+");
  EXPECT_EQ(*request.query_value("a"), "1");
  EXPECT_EQ(*request.query_value("b"), "");
  EXPECT_EQ(*request.query_value("c"), " + ");
  EXPECT_EQ(request.query_value("d"), nullptr);
  EXPECT_EQ(host::parse_query("a=%"), std::nullopt);
}

TEST(HttpHeaders, NamesCompareWithoutCase) {
  host::HttpHeaders headers;
  headers.add("Set-Cookie", "a");
  headers.add("set-cookie", "b");
  EXPECT_EQ(headers.find_all("SET-COOKIE").size(), 2u);
  headers.set("SET-Cookie", "c");
  EXPECT_EQ(headers.count("set-cookie"), 1u);
  EXPECT_EQ(headers.get("set-cookie"), "c");
}

}  // namespace
}  // namespace dbackup::test
