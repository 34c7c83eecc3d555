#include "api/client_gate.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "tests/unit/services/test_database.hpp"

namespace dbackup::host {
namespace {

TEST(TrustedProxies, BelieveNobodyByDefault) {
  const TrustedProxies nobody{""};
  EXPECT_EQ(nobody.client_address("10.0.0.1", {"203.0.113.9"}), "10.0.0.1");
}

TEST(TrustedProxies, TakeTheRightMostAddressThatIsNotOne) {
  const TrustedProxies proxies{"127.0.0.1, 10.0.0.0/8,fd00::/8"};
  const auto client = [&](const std::string& peer, std::vector<std::string_view> hops) {
    return proxies.client_address(peer, hops);
  };
  EXPECT_EQ(client("127.0.0.1", {"203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(client("127.0.0.1", {"1.1.1.1, 203.0.113.9, 10.2.3.4"}), "203.0.113.9");
  EXPECT_EQ(client("10.9.9.9", {"1.1.1.1", "203.0.113.9,10.1.1.1"}), "203.0.113.9");
  EXPECT_EQ(client("fd00::7", {"[2001:db8::1]:443"}), "2001:db8::1");
  EXPECT_EQ(client("127.0.0.1", {"203.0.113.9:8080"}), "203.0.113.9");
  EXPECT_EQ(client("203.0.113.50", {"1.1.1.1"}), "203.0.113.50")
      << "an untrusted peer is who it is";
  EXPECT_EQ(client("127.0.0.1", {"10.1.1.1"}), "10.1.1.1") << "all are proxies: the farthest";
  EXPECT_EQ(client("127.0.0.1", {"1.1.1.1, nonsense"}), "127.0.0.1") << "nothing beyond nonsense";
  EXPECT_EQ(client("127.0.0.1", {""}), "127.0.0.1");
}

TEST(TrustedProxies, KnowNetworksToTheBit) {
  const TrustedProxies proxies{"192.0.2.128/25"};
  EXPECT_EQ(proxies.client_address("192.0.2.128", {"1.1.1.1"}), "1.1.1.1");
  EXPECT_EQ(proxies.client_address("192.0.2.127", {"1.1.1.1"}), "192.0.2.127");
  const TrustedProxies all{"0.0.0.0/0"};
  EXPECT_EQ(all.client_address("192.0.2.1", {"2001:db8::1"}), "2001:db8::1") << "of IPv4 alone";
}

TEST(TrustedProxies, RefuseWhatIsNoNetwork) {
  for (const char* list : {"nonsense", "10.0.0.0/33", "::1/129", "10.0.0.1/", "10.0.0.1/x", "/8"}) {
    EXPECT_THROW(TrustedProxies{list}, Error) << list;
  }
}

TEST(RateLimiter, RefusesTheRequestAfterTheLastPoint) {
  RateLimiter limiter;
  const RateLimit limit{.points = 3, .window_seconds = 60};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.admit(RateBucket::Api, "a", limit, 1000), 0);
  EXPECT_EQ(limiter.admit(RateBucket::Api, "a", limit, 1000), 60);
  EXPECT_EQ(limiter.admit(RateBucket::Api, "a", limit, 60'999), 1);
  EXPECT_EQ(limiter.admit(RateBucket::Api, "b", limit, 1000), 0) << "another client";
  EXPECT_EQ(limiter.admit(RateBucket::Mutation, "a", limit, 1000), 0) << "another bucket";
  EXPECT_EQ(limiter.admit(RateBucket::Api, "a", limit, 61'000), 0) << "the window is over";
}

TEST(RateLimiter, KeepsItsCountersWhenLimitsChange) {
  RateLimiter limiter;
  for (int i = 0; i < 5; ++i)
    limiter.admit(RateBucket::Api, "a", {.points = 5, .window_seconds = 60}, 0);
  EXPECT_EQ(limiter.admit(RateBucket::Api, "a", {.points = 7, .window_seconds = 60}, 0), 0);
  EXPECT_EQ(limiter.admit(RateBucket::Api, "a", {.points = 7, .window_seconds = 60}, 0), 0);
  EXPECT_NE(limiter.admit(RateBucket::Api, "a", {.points = 7, .window_seconds = 60}, 0), 0);
  EXPECT_NE(limiter.admit(RateBucket::Api, "a", {.points = 2, .window_seconds = 60}, 0), 0);
}

TEST(RateLimiter, CountsAnIpv6NetworkAsOneClient) {
  EXPECT_EQ(rate_client("2001:db8:1:2:3::4"), rate_client("2001:db8:1:2::ffff"));
  EXPECT_NE(rate_client("2001:db8:1:2::1"), rate_client("2001:db8:1:3::1"));
  EXPECT_EQ(rate_client("192.0.2.1"), "192.0.2.1");
  EXPECT_NE(rate_client("::ffff:192.0.2.1"), rate_client("::ffff:192.0.2.2"));
}

TEST(RateLimiter, StaysBoundedInAFloodOfAddresses) {
  RateLimiter limiter;
  const RateLimit limit{.points = 1, .window_seconds = 3600};
  size_t refused = 0;
  for (int i = 0; i < 200'000; ++i) {
    refused += limiter.admit(RateBucket::Api, std::to_string(i), limit, 0) != 0 ? 1u : 0u;
  }
  EXPECT_EQ(refused, 0u) << "new addresses are admitted";
}

TEST(RateBuckets, FollowTheDecodedPath) {
  using Segments = std::vector<std::string>;
  EXPECT_EQ(rate_bucket(Method::Post, Segments{"api", "auth", "sign-in", "email"}),
            RateBucket::Auth);
  EXPECT_EQ(rate_bucket(Method::Get, Segments{"api", "auth", "sign-in"}), RateBucket::Auth);
  EXPECT_EQ(rate_bucket(Method::Get, Segments{"api", "auth", "get-session"}), RateBucket::Api);
  EXPECT_EQ(rate_bucket(Method::Head, Segments{"api", "unknown"}), RateBucket::Api);
  EXPECT_EQ(rate_bucket(Method::Options, Segments{"api", "jobs"}), RateBucket::Mutation);
  EXPECT_EQ(rate_bucket(Method::Get, Segments{"api", "health"}), RateBucket::None);
  EXPECT_EQ(rate_bucket(Method::Get, Segments{"api", "internal", "x"}), RateBucket::None);
  EXPECT_EQ(rate_bucket(Method::Get, Segments{"docs", "api"}), RateBucket::None);
}

struct Gate : ::testing::Test {
  HttpRequest request(const std::string& target, Method method = Method::Get) {
    HttpRequest head;
    head.method = method;
    head.target = target;
    head.client_address = "127.0.0.1";
    EXPECT_EQ(split_target(head), "");
    return head;
  }
  std::optional<HttpResponse> ask(const std::string& target, Method method = Method::Get) {
    HttpRequest head = request(target, method);
    return gate.admit(head);
  }

  testing::ManualClock clock;
  LiveSettings live{
      Settings::load({.environment = {{"DBACKUP_SERVER_TRUSTED_PROXIES", "127.0.0.1"}}})};
  ClientGate gate{live, clock};
};

TEST_F(Gate, AnswersTheRequestBeyondTheLimitWith429AndWhenToComeAgain) {
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(ask("/api/auth/sign-in/email", Method::Post)) << i;
  const auto refusal = ask("/api/auth/sign%2Din/email", Method::Post);
  ASSERT_TRUE(refusal) << "another spelling is the same path";
  EXPECT_EQ(refusal->status, 429);
  EXPECT_EQ(refusal->headers.get("Retry-After"), "60");
  EXPECT_NE(std::get<std::string>(refusal->body).find("\"success\":false"), std::string::npos);
  EXPECT_FALSE(ask("/api/jobs", Method::Post)) << "a bucket of its own";
  clock.advance(60'000);
  EXPECT_FALSE(ask("/api/auth/sign-in/email", Method::Post));
}

TEST_F(Gate, NeverCountsHealth) {
  for (int i = 0; i < 500; ++i) ASSERT_FALSE(ask("/api/health"));
  for (int i = 0; i < 100; ++i) ASSERT_FALSE(ask("/api/jobs"));
  EXPECT_TRUE(ask("/api/jobs"));
  EXPECT_FALSE(ask("/api/health"));
}

TEST_F(Gate, TakesChangedLimitsAtOnceAndKeepsTheCount) {
  for (int i = 0; i < 100; ++i) ask("/api/jobs");
  EXPECT_TRUE(ask("/api/jobs"));
  live.update([](Settings& s) { s.set_stored("rateLimit.api.points", "101"); });
  EXPECT_FALSE(ask("/api/jobs"));
  EXPECT_TRUE(ask("/api/jobs"));
}

TEST_F(Gate, CountsTheClientBehindATrustedProxy) {
  const auto ask_for = [&](const char* client) {
    HttpRequest head = request("/api/auth/sign-in/email", Method::Post);
    head.headers.add("X-Forwarded-For", client);
    const bool refused = gate.admit(head).has_value();
    EXPECT_EQ(head.client_address, client);
    return refused;
  };
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(ask_for("203.0.113.1"));
  EXPECT_TRUE(ask_for("203.0.113.1"));
  EXPECT_FALSE(ask_for("203.0.113.2"));
}

}  // namespace
}  // namespace dbackup::host
