#include <atomic>
#include <thread>

#include "s3_test_base.hpp"

namespace dbackup::tests {
namespace {

using testing::FakeCall;
using testing::ItemList;
using testing::MemoryReader;
using testing::MemoryWriter;
using testing::Outcome;
using Clock = std::chrono::steady_clock;

class S3Faults : public S3Test {};

TEST_F(S3Faults, AreOutlivedWhenTheyPass) {
  const auto storage = open();
  for (const Json& fault : {
           Json{{"method", "PUT"},
                {"query", "partNumber"},
                {"skip", 1},
                {"times", 2},
                {"action", "error"},
                {"status", 503},
                {"code", "SlowDown"}},
           Json{{"method", "PUT"}, {"query", "partNumber"}, {"action", "cut_answer"}},
           Json{{"method", "PUT"},
                {"query", "partNumber"},
                {"action", "cut_body"},
                {"bytes", 1 << 20}},
           Json{{"method", "PUT"},
                {"query", "partNumber"},
                {"action", "error"},
                {"status", 400},
                {"code", "XAmzContentSHA256Mismatch"}},
           Json{{"method", "PUT"},
                {"path", ".dbackup/uploads"},
                {"action", "error"},
                {"status", 429},
                {"code", "TooManyRequests"}},
           Json{{"method", "POST"}, {"query", "uploads"}, {"action", "error"}, {"status", 500}},
           Json{{"method", "POST"}, {"query", "uploadId"}, {"action", "error_in_200"}},
           Json{{"method", "HEAD"}, {"action", "error"}, {"status", 503}},
       }) {
    server().fail(fault);
  }
  const std::string content = pseudo_random(22 * kMiB);
  const Outcome outcome = put(storage, "big", content);
  ASSERT_TRUE(outcome.ok()) << outcome.text();
  std::string back;
  ASSERT_TRUE(get(storage, "big", back).ok());
  EXPECT_TRUE(back == content);
  EXPECT_TRUE(server().state().at("uploads").empty());
  EXPECT_EQ(server().state().at("objects").size(), 1u) << "a marker was left";
}

TEST_F(S3Faults, OfAnotherRequestForTheSameKeyAreWaitedFor) {
  struct Case {
    const char* conditional;
    const char* method;
    size_t size;
    int times;
  };
  for (const Case& refused : {Case{"on", "PUT", 1000, 5}, Case{"on", "POST", 6 * kMiB, 5},
                              Case{"off", "POST", 6 * kMiB, 2}}) {
    const auto storage = open({{"conditionalWrites", refused.conditional}});
    const std::string path = std::string{refused.conditional} + refused.method;
    server().clear();
    Json fault{{"method", refused.method},
               {"action", "error"},
               {"status", 409},
               {"times", refused.times},
               {"code", "OperationAborted"}};
    if (refused.size > 5 * kMiB) fault["query"] = "uploadId";
    server().fail(fault);
    const std::string content = pseudo_random(refused.size);
    const Outcome outcome = put(storage, path, content);
    ASSERT_TRUE(outcome.ok()) << path << ": " << outcome.text();
    EXPECT_EQ(server().count("DELETE", "uploadId"), 0) << "the upload was aborted under way";
    std::string back;
    ASSERT_TRUE(get(storage, path, back).ok());
    EXPECT_TRUE(back == content);
  }
}

TEST_F(S3Faults, DoNotHideACommitWhoseAnswerWasLost) {
  const auto storage = open();
  for (const char* action : {"cut_answer", "error_after"}) {
    server().fail({{"method", "POST"}, {"query", "uploadId"}, {"action", action}});
    const Outcome big = put(storage, std::string{"big-"} + action, pseudo_random(6 * kMiB));
    EXPECT_TRUE(big.ok()) << action << ": " << big.text();
    server().fail({{"method", "PUT"}, {"path", "small"}, {"action", action}});
    const Outcome small = put(storage, std::string{"small-"} + action, "x");
    EXPECT_TRUE(small.ok()) << action << ": " << small.text();
  }
  EXPECT_EQ(list(storage).size(), 4u);
  EXPECT_TRUE(server().state().at("uploads").empty());
}

TEST_F(S3Faults, LeaveNoUploadWhenTheAnswerToItsBeginIsLost) {
  const auto storage = open();
  server().fail({{"method", "POST"}, {"query", "uploads"}, {"action", "cut_answer"}});
  ASSERT_TRUE(put(storage, "big", pseudo_random(6 * kMiB)).ok());
  EXPECT_EQ(server().count("POST", "uploads"), 2);
  EXPECT_TRUE(server().state().at("uploads").empty()) << "the first one was left";
}

TEST_F(S3Faults, EndAPutForGoodWhenTheyDoNotPass) {
  const auto storage = open();
  server().fail({{"method", "PUT"},
                 {"query", "partNumber"},
                 {"times", 1000},
                 {"action", "error"},
                 {"status", 403},
                 {"code", "AccessDenied"}});
  EXPECT_EQ(put(storage, "big", pseudo_random(20 * kMiB)).status, DBACKUP_PERMISSION_DENIED);
  expect_nothing_stored("after a refused part");
}

TEST_F(S3Faults, LetOneOfManyRacingPutsWin) {
  for (const size_t size : {size_t{1000}, 6 * kMiB}) {
    const std::string path = "raced-" + std::to_string(size);
    std::atomic<int> stored = 0;
    std::atomic<int> taken = 0;
    (void)server();
    {
      std::vector<std::jthread> writers;
      for (int n = 0; n < 4; ++n) {
        writers.emplace_back([&, n] {
          const auto storage = open(Json::object(), "s3-aws");
          FakeCall call;
          MemoryReader in{std::string(size, static_cast<char>('a' + n))};
          const Outcome outcome = storage.run(
              storage.table().put, call, {{"path", path}, {"token", "t" + std::to_string(n)}}, in);
          if (outcome.ok()) ++stored;
          if (outcome.status == DBACKUP_ALREADY_EXISTS) ++taken;
        });
      }
    }
    EXPECT_EQ(stored, 1) << size;
    EXPECT_EQ(taken, 3) << size;
  }
  EXPECT_EQ(server().state().at("objects").size(), 2u);
  EXPECT_TRUE(server().state().at("uploads").empty());
}

TEST_F(S3Faults, LeaveNothingOfAnAbortedPut) {
  const auto storage = open();
  for (const uint64_t nth : {1u, 90u, 170u, 330u}) {
    FakeCall call;
    MemoryReader in{pseudo_random(30 * kMiB),
                    {.fail_at_call = nth, .status = DBACKUP_ABORTED, .most_bytes = 1 << 16}};
    EXPECT_EQ(
        storage.run(storage.table().put, call, {{"path", "big"}, {"token", "token-1"}}, in).status,
        DBACKUP_ABORTED);
    expect_nothing_stored("after a stream that failed at read " + std::to_string(nth));
  }
}

TEST_F(S3Faults, DoNotDelayACancellation) {
  struct Case {
    const char* name;
    Json fault;
    size_t size;
  };
  const Case cases[] = {
      {"look-up", {{"method", "HEAD"}}, 10},
      {"whole object", {{"method", "PUT"}}, 10},
      {"part", {{"method", "PUT"}, {"query", "partNumber"}, {"skip", 1}}, 30 * kMiB},
      {"begin", {{"method", "POST"}, {"query", "uploads"}}, 6 * kMiB},
      {"commit", {{"method", "POST"}, {"query", "uploadId"}}, 6 * kMiB},
      {"conflicts",
       {{"method", "POST"},
        {"query", "uploadId"},
        {"action", "error"},
        {"status", 409},
        {"code", "ConditionalRequestConflict"},
        {"times", 1000}},
       6 * kMiB},
      {"retries", {{"method", "PUT"}, {"action", "error"}, {"status", 503}, {"times", 1000}}, 10}};
  const auto storage = open();
  for (const Case& held : cases) {
    server().clear();
    Json fault = held.fault;
    if (!fault.contains("action")) fault["action"] = "hold";
    const auto action = fault.at("action").get<std::string>();
    server().fail(fault);
    FakeCall call;
    Clock::time_point cancelled_at;
    std::jthread canceller{[&] {
      EXPECT_TRUE(server().wait_until([&] { return caught(action); })) << held.name;
      cancelled_at = Clock::now();
      call.cancel();
    }};
    const Outcome outcome = put(storage, call, "held", pseudo_random(held.size));
    const auto ended_at = Clock::now();
    canceller.join();
    EXPECT_EQ(outcome.status, DBACKUP_CANCELLED) << held.name << ": " << outcome.text();
    EXPECT_LT(ended_at - cancelled_at, std::chrono::milliseconds{500}) << held.name;
    server().clear();
    expect_nothing_stored(held.name);
  }
}

TEST_F(S3Faults, DoNotDelayTheCancellationOfReading) {
  const auto storage = open();
  ASSERT_TRUE(put(storage, "object", "x").ok());
  for (const bool listing : {true, false}) {
    server().clear();
    server().fail({{"method", "GET"}, {"action", "hold"}});
    FakeCall call;
    Clock::time_point cancelled_at;
    std::jthread canceller{[&] {
      EXPECT_TRUE(server().wait_until([&] { return caught("hold"); }));
      cancelled_at = Clock::now();
      call.cancel();
    }};
    ItemList items;
    MemoryWriter out;
    const Outcome outcome = listing
                                ? storage.run(storage.table().list, call, {{"prefix", ""}}, items)
                                : storage.run(storage.table().get, call, {{"path", "object"}}, out);
    const auto ended_at = Clock::now();
    canceller.join();
    EXPECT_EQ(outcome.status, DBACKUP_CANCELLED);
    EXPECT_LT(ended_at - cancelled_at, std::chrono::milliseconds{500});
  }
}

TEST_F(S3Faults, LetADownloadGoOnWhereItStopped) {
  const auto storage = open();
  const std::string content = pseudo_random(12 * kMiB);
  ASSERT_TRUE(put(storage, "big", content).ok());
  server().clear();
  for (int n = 0; n < 3; ++n) {
    server().fail({{"method", "GET"}, {"action", "cut_body"}, {"bytes", 3 * kMiB + 17}});
  }
  std::string back;
  const Outcome outcome = get(storage, "big", back, {{"offset", 5}, {"length", 11 * kMiB}});
  ASSERT_TRUE(outcome.ok()) << outcome.text();
  EXPECT_TRUE(back == content.substr(5, 11 * kMiB));
  EXPECT_EQ(server().count("GET"), 4);
  EXPECT_FALSE(server().requests().at(3).at("headers").value("if-match", "").empty());
}

TEST_F(S3Faults, NeverMixTwoVersionsOfAnObject) {
  const auto storage = open();
  ASSERT_TRUE(put(storage, "big", pseudo_random(12 * kMiB)).ok());
  server().fail({{"method", "GET"}, {"action", "cut_body"}, {"bytes", 3 * kMiB}});
  FakeCall call;
  MemoryWriter out;
  out.before_write([&](uint64_t nth) {
    if (nth == 1) {
      EXPECT_TRUE(put(storage, "big", pseudo_random(12 * kMiB, 2), {{"replace", true}}).ok());
    }
  });
  const Outcome outcome = storage.run(storage.table().get, call, {{"path", "big"}}, out);
  EXPECT_EQ(outcome.status, DBACKUP_ABORTED) << outcome.text();
  EXPECT_NE(outcome.message.find("replaced"), std::string::npos);
}

TEST_F(S3Faults, NeverSendARequestToAnotherHost) {
  testing::S3Server other;
  const auto storage = open();
  server().fail({{"method", "GET"},
                 {"action", "redirect"},
                 {"status", 307},
                 {"location", other.endpoint() + "/bucket/object"}});
  std::string content;
  EXPECT_EQ(get(storage, "object", content).status, DBACKUP_INVALID_ARGUMENT);
  EXPECT_TRUE(other.requests().empty());
}

TEST_F(S3Faults, OfAStoppedServerLeaveNothingAfterACleanUp) {
  const auto storage = open();
  FakeCall call;
  MemoryReader in{pseudo_random(40 * kMiB), {.most_bytes = 1 << 16}};
  in.before_read([&](uint64_t nth) {
    if (nth == 400) server().kill();
  });
  const Outcome outcome =
      storage.run(storage.table().put, call, {{"path", "big"}, {"token", "token-1"}}, in);
  EXPECT_EQ(outcome.status, DBACKUP_UNAVAILABLE) << outcome.text();
  server().restart();
  EXPECT_TRUE(list(storage).empty()) << "an unfinished object is listed";
  EXPECT_FALSE(server().state().at("uploads").empty()) << "the test did not stop it midway";
  EXPECT_EQ(cleanup(storage), 1u);
  expect_nothing_stored("after the clean-up");
}

TEST_F(S3Faults, OfARestartingServerAreOutlived) {
  const auto storage = open();
  const std::string content = pseudo_random(40 * kMiB);
  FakeCall call;
  MemoryReader in{content, {.most_bytes = 1 << 16}};
  in.before_read([&](uint64_t nth) {
    if (nth == 400) server().restart();
  });
  const Outcome outcome =
      storage.run(storage.table().put, call, {{"path", "big"}, {"token", "token-1"}}, in);
  ASSERT_TRUE(outcome.ok()) << outcome.text();
  std::string back;
  ASSERT_TRUE(get(storage, "big", back).ok());
  EXPECT_TRUE(back == content);
}

}  // namespace
}  // namespace dbackup::tests
