#include <sys/prctl.h>

#include "tests/integration/worker/worker_fixture.hpp"
#include "tests/support/paths.hpp"

namespace dbackup::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(WorkerProtocol, GreetsFirstAndEndsWithItsInput) {
  WorkerSession worker{false};
  EXPECT_EQ(host::parse_json(worker.read_line(), "greeting").at("protocol"), 1);
  worker.send_text("{\"protocol\":1}\n");
  worker.close_input();
  EXPECT_EQ(worker.read_line(), "");
  EXPECT_EQ(worker.wait(), 0);
}

TEST(WorkerProtocol, RefusesAnotherProtocol) {
  WorkerSession worker{false};
  worker.read_line();
  worker.send_text("{\"protocol\":2}\n");
  const auto outcome = worker.finish();
  EXPECT_FALSE(outcome.ok);
  EXPECT_THAT(outcome.data.at("message").get<std::string>(), HasSubstr("protocol 2"));
  EXPECT_EQ(worker.wait(), 2);
}

TEST(WorkerProtocol, EndsOnGarbageWithAnError) {
  for (const std::string& garbage : {std::string{"no json\n"}, std::string{"{\"id\":\"1\"}\n"},
                                     std::string{"{\"id\":\"1\",\"op\":\"dance\"}\n"},
                                     std::string{"[]\n"}, std::string(1024 * 1024 + 2, 'x')}) {
    WorkerSession worker;
    worker.send_text(garbage);
    EXPECT_FALSE(worker.finish().ok);
    EXPECT_EQ(worker.wait(), 2);
  }
}

TEST(WorkerProtocol, EndsTheRunningOperationOnGarbage) {
  WorkerSession worker;
  worker.send("test", {{"adapter", probe_source({{"behaviour", "hang"}})}});
  const auto outcome = worker.finish([&](const Event&) { worker.send_text("garbage\n"); });
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(worker.wait(), 2);
}

TEST(WorkerProtocol, ServesRequestsOneAfterTheOther) {
  WorkerSession worker;
  for (int i = 0; i < 3; ++i) worker.send("test", {{"adapter", probe_source(Json::object())}});
  for (int i = 0; i < 3; ++i) {
    const auto outcome = worker.finish();
    EXPECT_TRUE(outcome.ok);
    EXPECT_EQ(outcome.data.at("message"), "fine");
  }
  worker.close_input();
  EXPECT_EQ(worker.wait(), 0);
}

TEST(WorkerProtocol, NumbersItsEvents) {
  WorkerSession worker;
  const auto outcome = worker.run("test", {{"adapter", probe_source({{"behaviour", "noise"}})}});
  uint64_t expected = 1;
  for (const Event& event : outcome.events) {
    EXPECT_EQ(event.seq, expected++);
    EXPECT_EQ(event.request_id, "1");
    EXPECT_GT(event.at_ms, 1'600'000'000'000);
  }
  EXPECT_GT(expected, 3U);
}

TEST(WorkerProtocol, TurnsWhatAPluginPrintsIntoLogLines) {
  WorkerSession worker;
  const auto outcome = worker.run("test", {{"adapter", probe_source({{"behaviour", "noise"}})}});
  ASSERT_TRUE(outcome.ok);
  EXPECT_THAT(outcome.logs(), HasSubstr("noise on the standard output\n"));
  EXPECT_THAT(outcome.logs(), HasSubstr("noise on the error output\n"));
}

TEST(WorkerProtocol, CancelsTheRunningOperation) {
  WorkerSession worker;
  worker.send("test", {{"adapter", probe_source({{"behaviour", "hang"}})}});
  const auto outcome = worker.finish([&](const Event&) { worker.cancel(); });
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.data.at("code"), 1);
  EXPECT_TRUE(worker.run("test", {{"adapter", probe_source(Json::object())}}).ok)
      << "the next one runs";
}

TEST(WorkerProtocol, SurvivesAPluginThatThrowsAndNamesIt) {
  WorkerSession worker;
  const auto outcome = worker.run("test", {{"adapter", probe_source({{"behaviour", "throw"}})}});
  EXPECT_FALSE(outcome.ok);
  EXPECT_THAT(outcome.data.at("message").get<std::string>(), HasSubstr("org.dbackup.test.probe"));
  EXPECT_TRUE(worker.run("test", {{"adapter", probe_source(Json::object())}}).ok);
}

TEST(WorkerProtocol, DescribesAPluginAndRefusesABrokenOne) {
  WorkerSession worker;
  const auto outcome = worker.run("describe", {{"plugin_path", kProbe}});
  ASSERT_TRUE(outcome.ok) << outcome.data;
  EXPECT_EQ(outcome.data.at("plugin_id"), "org.dbackup.test.probe");
  EXPECT_EQ(outcome.data.at("adapters").size(), 2U);
  const auto broken = worker.run(
      "describe",
      {{"plugin_path", ::dbackup::test::binary_dir() + "/lib/worker-test-plugins" "/dbackup_broken_descriptor.so"}});
  EXPECT_FALSE(broken.ok);
  EXPECT_THAT(broken.data.at("message").get<std::string>(), HasSubstr("org.dbackup.test.broken"));
}

TEST(WorkerProtocol, LimitsItselfBeforePluginsLoad) {
  WorkerSession worker;
  ASSERT_TRUE(worker.run("describe", {{"plugin_path", kProbe}}).ok);
  const std::string proc = "/proc/" + std::to_string(worker.pid());
  EXPECT_THAT(read_file(proc + "/status"), HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(read_file(proc + "/limits"), testing::ContainsRegex("Max core file size +0 +0"));
}

TEST(WorkerProtocol, ShowsNoSecretToToolsOrInItsCommandLine) {
  ::setenv("DBACKUP_ENCRYPTION_KEY", "very-secret-key", 1);
  WorkerSession worker;
  const auto outcome = worker.run(
      "test", {{"adapter",
                probe_source({{"behaviour", "environment"}, {"secret", "very-secret-option"}})}});
  ::unsetenv("DBACKUP_ENCRYPTION_KEY");
  ASSERT_TRUE(outcome.ok) << outcome.data;
  EXPECT_THAT(outcome.data.dump(), Not(HasSubstr("very-secret")));
  EXPECT_THAT(read_file("/proc/" + std::to_string(worker.pid()) + "/cmdline"),
              Not(HasSubstr("secret")));
}

TEST(WorkerProtocol, ReportsAMalformedBody) {
  WorkerSession worker;
  EXPECT_EQ(worker.run("ping", {{"adapter", 5}}).data.at("code"), 3);
  EXPECT_EQ(worker.run("ping", Json::array()).data.at("code"), 3);
}

}  // namespace
}  // namespace dbackup::test
