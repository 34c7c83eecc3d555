// Mutated and split requests against the framer and against the real server.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <random>

#include "api/http_framer.hpp"
#include "tests/api/http_test_server.hpp"
#include "tests/support/raw_http_client.hpp"

namespace dbackup::test {
namespace {

using Random = std::mt19937_64;
using host::HttpFramer;

Random seeded() {
  const char* given = std::getenv("DBACKUP_FUZZ_SEED");
  const uint64_t seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("DBACKUP_FUZZ_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return Random{seed};
}

size_t below(Random& random, size_t limit) { return static_cast<size_t>(random() % limit); }

const std::vector<std::string>& valid_requests() {
  static const std::vector<std::string> requests{
      raw_get("/quick?id=1"),
      raw_get("/health", "X-Folded: a\r\n b\r\nConnection: keep-alive\r\n"),
      raw_post("/echo", "some body of a request"),
      raw_get("/inspect/a%20b/%C3%A4?x=1&y=%2B+"),
      "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;a=\"b\"\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nX-Trailer: 1\r\n\r\n",
      "HEAD /quick HTTP/1.0\r\nConnection: close\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody"};
  return requests;
}

std::string mutate(Random& random) {
  const auto& valid = valid_requests();
  std::string wire = valid[below(random, valid.size())];
  if (below(random, 3) == 0) wire += valid[below(random, valid.size())];
  static const std::string spice = std::string{"\r\n\0 :;,=%/?#", 12} +
                                   "\xff\x80\x7f"
                                   "09afAF\t\"";
  for (size_t n = below(random, 6); n > 0; --n) {
    const size_t at = below(random, wire.size());
    switch (below(random, 5)) {
      case 0:
        wire[at] = static_cast<char>(below(random, 256));
        break;
      case 1:
        wire[at] = spice[below(random, spice.size())];
        break;
      case 2:
        wire.erase(at, 1 + below(random, 8));
        break;
      case 3:
        wire.insert(at, 1 + below(random, 3), spice[below(random, spice.size())]);
        break;
      default:
        wire.insert(at, wire.substr(below(random, wire.size()), below(random, 40)));
        break;
    }
    if (wire.empty()) wire = "\r";
  }
  return wire;
}

/// What a framer makes of `wire` cut at random places, as text.
std::string outcome(const std::string& wire, Random* random) {
  HttpFramer framer{{}};
  std::string seen;
  const auto settle = [&] {
    for (;;) {
      if (framer.state() == HttpFramer::State::HeadReady) {
        seen += "head " + framer.head().target + "\n";
        framer.accept_body(1000);
      } else if (framer.state() == HttpFramer::State::RequestReady) {
        seen += "request " + framer.take().body + "\n";
        framer.resume();
      } else {
        return;
      }
    }
  };
  for (size_t at = 0; at < wire.size();) {
    const size_t size = !random    ? wire.size()
                        : at > 600 ? 4096
                                   : 1 + below(*random, 1 + below(*random, 40));
    framer.feed(std::string_view{wire}.substr(at, size));
    settle();
    at += size;
  }
  if (framer.state() == HttpFramer::State::Failed) seen += "failed";
  return seen;
}

TEST(HttpFuzz, FramerDecidesTheSameHoweverBytesAreCut) {
  Random random = seeded();
  for (int i = 0; i < 20'000; ++i) {
    // The tail makes it decide: a parser may see a fault at once or only when the head is complete.
    const std::string wire = mutate(random) + "\r\n\r\n\r\n\r\n" + std::string(20'000, 'x');
    const std::string whole = outcome(wire, nullptr);
    const std::string pieces = outcome(wire, &random);
    ASSERT_EQ(whole, pieces) << "case " << i << ": "
                             << ::testing::PrintToString(wire.substr(0, 500));
  }
}

TEST(HttpFuzz, ServerAnswersOnAfterTwoThousandBrokenClients) {
  Random random = seeded();
  auto options = quick_options();
  options.deadlines.linger = std::chrono::milliseconds{200};
  TestServer server{options};
  for (int i = 0; i < 2000; ++i) {
    const std::string wire = mutate(random);
    RawHttpClient client{server.port(), {.patience = std::chrono::milliseconds{50}}};
    for (size_t at = 0; at < wire.size();) {
      const size_t size = 1 + below(random, 60);
      if (!client.send(std::string_view{wire}.substr(at, size))) break;
      at += size;
      // A pause now and then, so that pieces are read one by one.
      pollfd readable{.fd = client.fd(), .events = POLLIN, .revents = 0};
      if (below(random, 8) == 0) ::poll(&readable, 1, 1);
    }
    switch (below(random, 3)) {
      case 0:
        client.kill();
        break;
      case 1:
        client.finish_sending();
        break;
      default:
        break;
    }
  }
  for (int i = 0; i < 8; ++i) {
    RawHttpClient client{server.port()};
    const auto answer = client.ask(raw_get("/quick?id=alive"));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, R"({"id":"alive"})");
  }
  EXPECT_TRUE(eventually([&] { return server.server.connections() == 0; }));
}

}  // namespace
}  // namespace dbackup::test
