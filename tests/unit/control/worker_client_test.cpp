#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "base/error.hpp"
#include "control/worker_client.hpp"
#include "tests/unit/control/scripted_worker.hpp"

namespace dbackup::host {
namespace {

using namespace std::chrono_literals;
using protocol::Operation;
using ::testing::AllOf;
using ::testing::HasSubstr;

size_t open_descriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) ++count;
  return count;
}

class WorkerClientTest : public ::testing::Test {
 protected:
  WorkerClientTest() : launcher_{script_.program()}, client_{launcher_, "0", limits()} {}
  static WorkerClient::Limits limits() {
    WorkerClient::Limits out;
    out.max_requests = 2;
    out.max_wait = 100ms;
    out.greeting = 500ms;
    return out;
  }
  void TearDown() override {
    siginfo_t info{};
    EXPECT_EQ(::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), -1) << "a child is left";
    EXPECT_EQ(errno, ECHILD);
  }
  Json ping(const WorkerCall& call = {}) { return client_.run(Operation::Ping, body_, call); }
  Error failure(const WorkerCall& call = {}) {
    try {
      ping(call);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(ErrorCode::Internal, "");
  }

  ScriptedWorker script_;
  WorkerLauncher launcher_;
  WorkerClient client_;
  Json body_{{"adapter", {{"plugin_path", "/p.so"}, {"adapter_id", "postgres"}, {"config", {{"password", "s3cret"}}}}}};
};

TEST_F(WorkerClientTest, GivesTheResultAndTheEventsInOrder) {
  script_.set("ping", {{{"event", "log"}, {"data", {{"message", "one"}}}},
                       {{"event", "stage"}, {"data", {{"name", "two"}}}},
                       {{"result", {{"answer", 42}}}}});
  std::vector<uint64_t> seen;
  WorkerCall call;
  call.on_event = [&](const protocol::Event& event) { seen.push_back(event.seq); };
  EXPECT_EQ(ping(call).at("answer"), 42);
  EXPECT_THAT(seen, ::testing::ElementsAre(1U, 2U));
}

TEST_F(WorkerClientTest, PassesTheErrorOfTheWorkerOn) {
  script_.set("ping", {{{"error", {{"code", 5}, {"message", "no such file"}, {"reason", "r"}, {"detail", "d"}}}}});
  const Error error = failure();
  EXPECT_EQ(error.code(), ErrorCode::NotFound);
  EXPECT_STREQ(error.what(), "no such file");
  EXPECT_EQ(error.reason(), "r");
  EXPECT_EQ(error.detail(), "d");
}

TEST_F(WorkerClientTest, NamesPluginAndSignalOfACrash) {
  script_.set("ping", {{{"print", "about to crash\n"}}, {{"signal", SIGSEGV}}});
  const Error error = failure();
  EXPECT_EQ(error.reason(), "worker_crashed");
  EXPECT_THAT(error.what(), AllOf(HasSubstr("plugin \"postgres\""), HasSubstr("signal 11 (SEGV)")));
  EXPECT_THAT(error.detail(), HasSubstr("about to crash"));
}

TEST_F(WorkerClientTest, ReportsAnExitWithoutAnAnswer) {
  script_.set("ping", {{{"exit", 0}}});
  const Error error = failure();
  EXPECT_EQ(error.reason(), "worker_crashed");
  EXPECT_THAT(error.what(), HasSubstr("exited with status 0 before it had answered"));
}

TEST_F(WorkerClientTest, ReportsEventsThatEndWithoutAnAnswer) {
  script_.set("ping", {{{"close_events", true}}, {{"hang", true}}});
  EXPECT_EQ(failure().reason(), "worker_crashed");
}

TEST_F(WorkerClientTest, EndsAnOperationThatTalksGarbage) {
  for (const char* garbage : {"not json\n", "[1]\n", "{}\n", "{\"id\":\"1\",\"event\":\"dance\"}\n", "\n",
                              "{\"id\":1,\"event\":\"log\"}\n"}) {
    script_.set("ping", {{{"raw", garbage}}, {{"hang", true}}});
    const Error error = failure();
    EXPECT_EQ(error.reason(), "worker_protocol") << garbage;
    EXPECT_THAT(error.what(), HasSubstr("plugin \"postgres\"")) << garbage;
  }
}

TEST_F(WorkerClientTest, EndsAnOperationThatSendsAnEndlessLine) {
  script_.set("ping", {{{"fill", 3 * 1024 * 1024}}, {{"hang", true}}});
  EXPECT_EQ(failure().reason(), "worker_protocol");
}

TEST_F(WorkerClientTest, EndsAnOperationWithoutGreeting) {
  script_.set_greeting(false);
  EXPECT_THAT(failure().what(), HasSubstr("no greeting"));
}

TEST_F(WorkerClientTest, KillsAtTheDeadline) {
  script_.set("ping", {{{"hang", true}}});
  WorkerCall call;
  call.deadline = 100ms;
  EXPECT_EQ(failure(call).code(), ErrorCode::DeadlineExceeded);
}

TEST_F(WorkerClientTest, CancelsWithinASecondEvenWhenTheWorkerHangs) {
  script_.set("ping", {{{"event", "log"}, {"data", {{"message", "under way"}}}}, {{"child", true}}, {{"hang", true}}});
  std::stop_source stop;
  WorkerCall call;
  call.stop = stop.get_token();
  std::chrono::steady_clock::time_point asked;
  call.on_event = [&](const protocol::Event&) {
    asked = std::chrono::steady_clock::now();
    stop.request_stop();
  };
  EXPECT_EQ(failure(call).code(), ErrorCode::Cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, 1s);
}

TEST_F(WorkerClientTest, LetsTheWorkerEndACancelledOperationByItself) {
  script_.set("ping", {{{"event", "log"}, {"data", {{"message", "under way"}}}},
                       {{"await_cancel", true}},
                       {{"error", {{"code", 14}, {"message", "connection closed"}}}}});
  std::stop_source stop;
  WorkerCall call;
  call.stop = stop.get_token();
  call.on_event = [&](const protocol::Event&) { stop.request_stop(); };
  const Error error = failure(call);
  EXPECT_EQ(error.code(), ErrorCode::Cancelled);
  EXPECT_EQ(error.detail(), "connection closed");
}

TEST_F(WorkerClientTest, DoesNotWaitForAChildThatKeepsThePipes) {
  script_.set("ping", {{{"child", true}}, {{"exit", 3}}});
  EXPECT_THAT(failure().what(), HasSubstr("exited with status 3"));
}

TEST_F(WorkerClientTest, KeepsTheAnswerOfAWorkerThatCrashesAfterIt) {
  script_.set("ping", {{{"result", {{"ok", true}}}}, {{"signal", SIGABRT}}});
  EXPECT_EQ(ping().at("ok"), true);
}

TEST_F(WorkerClientTest, IsNotDisturbedByNoiseOnTheStandardOutput) {
  script_.set("ping", {{{"print", std::string(300'000, 'n')}}, {{"result", Json::object()}}});
  EXPECT_NO_THROW(ping());
}

TEST_F(WorkerClientTest, AsksBeforeAPathIsUsed) {
  script_.set("ping", {{{"reserve", "a/b"}}, {{"result", Json::object()}}});
  std::vector<std::string> asked;
  WorkerCall call;
  call.on_reserve = [&](const std::string& path) {
    asked.push_back(path);
    return path == "a/b-3";
  };
  ping(call);
  EXPECT_THAT(asked, ::testing::ElementsAre("a/b", "a/b-2", "a/b-3"));
}

TEST_F(WorkerClientTest, SendsARequestLargerThanAPipe) {
  script_.set("ping", {{{"result", Json::object()}}});
  body_["adapter"]["config"]["padding"] = std::string(400'000, 'p');
  ping();
  EXPECT_EQ(script_.requests("ping").at(0).at("body"), body_);
}

TEST_F(WorkerClientTest, RefusesAThirdRequestWhenTwoAreUnderWay) {
  script_.set("ping", {{{"await_file", script_.path("go")}}, {{"result", Json::object()}}});
  std::vector<std::thread> busy;
  for (int i = 0; i < 2; ++i) busy.emplace_back([this] { ping(); });
  while (script_.requests("ping").size() < 2) std::this_thread::yield();
  const Error error = failure();
  EXPECT_EQ(error.code(), ErrorCode::Unavailable);
  EXPECT_EQ(error.reason(), "busy");
  WorkerCall run;
  run.lane = WorkerLane::Run;
  std::thread free{[&] { ping(run); }};
  while (script_.requests("ping").size() < 3) std::this_thread::yield();
  script_.make_file("go");
  for (auto& thread : busy) thread.join();
  free.join();
}

TEST_F(WorkerClientTest, LeavesNoDescriptorBehind) {
  script_.set("ping", {{{"result", Json::object()}}});
  script_.set("test", {{{"signal", SIGKILL}}});
  ping();
  const size_t before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    ping();
    EXPECT_THROW(client_.run(Operation::Test, body_), Error);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(WorkerClientTest, HandsOutTheBytesOfAFetch) {
  script_.set("fetch", {{{"event", "start"}, {"data", {{"total", 10}, {"offset", 2}, {"length", 5}}}},
                        {{"bulk", "hello"}},
                        {{"result", Json::object()}}});
  auto fetch = client_.fetch({});
  EXPECT_EQ(fetch.total, 10U);
  EXPECT_EQ(fetch.length, 5U);
  std::string text(16, '\0');
  size_t size = 0;
  for (ssize_t n = 1; n > 0; size += static_cast<size_t>(n)) {
    n = ::read(fetch.bytes.get(), text.data() + size, text.size() - size);
    ASSERT_GE(n, 0);
  }
  EXPECT_EQ(text.substr(0, size), "hello");
  EXPECT_EQ(fetch.end->wait(), "");
}

TEST_F(WorkerClientTest, TellsThatAFetchBrokeOff) {
  script_.set("fetch", {{{"event", "start"}, {"data", {{"total", 10}}}}, {{"bulk", "hel"}}, {{"signal", SIGSEGV}}});
  auto fetch = client_.fetch({});
  EXPECT_THAT(fetch.end->wait(), HasSubstr("SEGV"));
}

TEST_F(WorkerClientTest, EndsAFetchWhoseReaderIsGone) {
  script_.set("fetch", {{{"event", "start"}, {"data", {{"total", 10}}}}, {{"hang", true}}});
  auto fetch = client_.fetch({});
  fetch.end->abandon();
  EXPECT_FALSE(fetch.end->wait_ok());
}

TEST_F(WorkerClientTest, FailsAFetchThatDoesNotBegin) {
  script_.set("fetch", {{{"error", {{"code", 5}, {"message", "no such file"}}}}});
  EXPECT_THROW(client_.fetch({}), Error);
}

TEST(WorkerProcess, ShowsTheWorkerAnAllowListOfItsEnvironmentAndNoForeignDescriptor) {
  ASSERT_EQ(::setenv("DBACKUP_TEST_SECRET", "hidden", 1), 0);
  const Pipe foreign = make_pipe();
  WorkerLauncher launcher{{.path = "/usr/bin/env", .arguments = {"sh", "-c", "env; ls /proc/self/fd; :"}}};
  auto process = launcher.start();
  std::string said;
  std::array<char, 4096> part;
  for (;;) {
    const ssize_t n = ::read(process->output().get(), part.data(), part.size());
    if (n > 0) said.append(part.data(), static_cast<size_t>(n));
    if (n == 0) break;
    if (n < 0) std::this_thread::yield();
  }
  EXPECT_THAT(said, HasSubstr("PATH="));
  EXPECT_THAT(said, ::testing::Not(HasSubstr("DBACKUP_TEST_SECRET")));
  EXPECT_THAT(said, ::testing::EndsWith("\n0\n1\n2\n3\n4\n"));  // 4: ls reads the folder
  EXPECT_EQ(process->finish().text(), "exited with status 0");
}

}  // namespace
}  // namespace dbackup::host
