#include "tests/fault/faulty_run.hpp"

namespace dbackup::testing {
namespace {

// Invariant 4: a bad plugin ends its own operation with an error that names it; others do not notice.

class BadPlugin : public ::testing::TestWithParam<const char*> {};

TEST_P(BadPlugin, EndsItsOwnRunWithAnErrorThatNamesIt) {
  FaultyRun f{{{"DBACKUP_WORKER_ADDRESS_SPACE_MIB", "2048"}}};
  const std::string kind = GetParam();
  const std::string execution = f.server.run_job(f.job(f.source(Json::object(), kind)));
  const Json run = f.server.wait_for(execution, std::chrono::seconds{60});
  EXPECT_EQ(run.at("status"), "Failed") << run.dump(1);
  const std::string error = run.at("error").get<std::string>();
  EXPECT_TRUE(error.find("test.bad") != std::string::npos || error.find(kind) != std::string::npos) << error;
  EXPECT_TRUE(f.server.files(f.destination).empty());
  f.expect_nothing_left();
  f.expect_others_work();
}

const std::vector<const char*>& faults() {
  static const std::vector<const char*> all{
      "bad-throws",         "bad-crash",      "bad-exits",          "bad-short-table",
      "bad-garbage-result", "bad-bad-status", "bad-silent-failure",
#ifndef DBACKUP_SANITIZED
      // Sanitizers reserve terabytes, so no address-space limit holds there.
      "bad-eats-memory",
#endif
  };
  return all;
}

std::string name_of(const ::testing::TestParamInfo<const char*>& fault) {
  std::string name = fault.param;
  name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
  return name;
}

INSTANTIATE_TEST_SUITE_P(Faults, BadPlugin, ::testing::ValuesIn(faults()), name_of);

TEST(BadPlugins, OneThatHangsIsEndedByCancelWithinASecond) {
  FaultyRun f;
  const std::string execution = f.server.run_job(f.job(f.source(Json::object(), "bad-hang")));
  ASSERT_TRUE(wait_until([&] { return f.server.get("/api/executions/" + execution).json()["data"]["stage"] == "Dumping Databases"; }));
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(f.server.post("/api/executions/" + execution + "/cancel").status, 200);
  EXPECT_EQ(f.server.wait_for(execution).at("status"), "Cancelled");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{2}) << "one second, and slack for a busy machine";
  f.expect_nothing_left();
  f.expect_others_work();
}

TEST(BadPlugins, OneThatPrintsDisturbsNothingAndIsLogged) {
  FaultyRun f;
  const Json run = f.server.wait_for(f.server.run_job(f.job(f.source(Json::object(), "bad-noisy"))));
  EXPECT_EQ(run.at("status"), "Success") << run.at("error");
  EXPECT_LE(run.at("logs").size(), 20'000U);
}

TEST(BadPlugins, OneThatLeaksDescriptorsOrLeavesAChildLosesThemWithItsProcess) {
  FaultyRun f;
  for (const char* kind : {"bad-leaks", "bad-leaves-child"}) {
    const Json run = f.server.wait_for(f.server.run_job(f.job(f.source(Json::object(), kind))));
    EXPECT_TRUE(run.at("status") == "Success" || run.at("status") == "Failed") << kind;
    EXPECT_TRUE(wait_until([&] { return f.server.descendants().empty(); }, std::chrono::seconds{5})) << kind;
  }
}

TEST(BadPlugins, OnesThatCannotBeLoadedAreNotOfferedAndTheServerStarts) {
  FaultyRun f;
  std::set<std::string> kinds;
  const Answer answer = f.server.get("/api/adapter-types");
  ASSERT_EQ(answer.status, 200);
  const Json body = answer.json();
  for (const Json& type : body.is_array() ? body : body.at("data")) kinds.insert(type.at("id").get<std::string>());
  for (const char* good : {"sqlite", "postgres", "local-filesystem", "generic-webhook", "synthetic", "bad-newer-minor"}) {
    EXPECT_TRUE(kinds.contains(good)) << good;
  }
  for (const char* bad : {"bad-wrong-major", "bad-no-json", "bad-start-crash", "bad-start-throw", "bad-no-symbol"}) {
    EXPECT_FALSE(kinds.contains(bad)) << bad;
    const Answer refused = f.server.post("/api/adapters", {{"name", bad}, {"type", "database"}, {"adapterId", bad}, {"config", Json::object()}});
    EXPECT_EQ(refused.status, 400) << refused.body;
  }
  EXPECT_NE(f.server.log().find("bad-wrong-major.so"), std::string::npos) << "the log names what was refused";
}

}  // namespace
}  // namespace dbackup::testing
