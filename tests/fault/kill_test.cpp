#include <cstdlib>
#include <thread>

#include "tests/fault/faulty_run.hpp"

namespace dbackup::testing {
namespace {

// Invariants 1 to 3: kill -9 of host or worker at any instant leaves no false success, no lost row, no
// duplicate run, and nothing half-written is ever listed.

std::string status_of(const FaultyRun& f, const std::string& execution) {
  return f.server.get("/api/executions/" + execution).json()["data"]["status"].get<std::string>();
}

void expect_listed_files_are_whole(const FaultyRun& f) {
  for (const Json& file : f.server.files(f.destination)) {
    const Answer answer = f.server.post("/api/storage/" + f.destination + "/verify", {{"file", file.at("path")}});
    EXPECT_EQ(answer.json()["data"]["status"], "passed") << answer.body;
  }
}

void expect_no_temporaries(const FaultyRun& f) {
  EXPECT_TRUE(wait_until([&] {
    for (const auto& name : files_below(f.store)) {
      if (name.find(".part") != std::string::npos) return false;
    }
    return true;
  })) << files_below(f.store).front();
}

TEST(Kill, OfTheWorkerInMidStreamFailsItsRunAndLeavesNothing) {
  FaultyRun f;
  const std::string execution = f.server.run_job(f.job(f.source({{"wait_at_byte", 4'000'000}})));
  f.wait_until_streaming(execution);
  for (const pid_t worker : f.server.descendants()) ::kill(worker, SIGKILL);
  const Json run = f.server.wait_for(execution, std::chrono::seconds{10});
  EXPECT_EQ(run.at("status"), "Failed");
  EXPECT_NE(run.at("error").get<std::string>().find("signal 9"), std::string::npos) << run.at("error");
  f.expect_nothing_left();
  f.expect_others_work();
}

TEST(Kill, OfTheHostInMidStreamEndsItsWorkersAndIsReconciledAtTheNextStart) {
  FaultyRun f;
  const std::string execution = f.server.run_job(f.job(f.source({{"wait_at_byte", 4'000'000}})));
  const std::string waiting = f.server.run_job(f.job(f.source({{"size_bytes", 1000}})));
  f.wait_until_streaming(execution);
  f.server.kill_hard();
  EXPECT_TRUE(wait_until([&] { return f.server.descendants().empty(); }, std::chrono::seconds{5})) << "no worker outlives its host";
  EXPECT_TRUE(f.has_temporary()) << "what the crash left";
  f.server.start();
  const Json run = f.server.wait_for(execution, std::chrono::seconds{10});
  EXPECT_EQ(run.at("status"), "Failed");
  EXPECT_FALSE(run.at("error").is_null());
  EXPECT_EQ(f.server.wait_for(waiting).at("status"), "Success") << "waiting rows survive and run";
  expect_no_temporaries(f);
  EXPECT_EQ(f.server.files(f.destination).size(), 1U) << "the waiting run's own";
}

TEST(Kill, OfTheHostAtManyInstantsNeverLiesAboutABackup) {
  FaultyRun f;
  const int rounds = std::getenv("DBACKUP_TEST_LONG") != nullptr ? 200 : 12;
  const std::string job = f.job(f.source({{"size_bytes", 3'000'000}}));
  std::vector<std::string> executions;
  for (int round = 0; round < rounds; ++round) {
    executions.push_back(f.server.run_job(job));
    // Spread over the life of a run: it takes some tens of milliseconds here.
    const auto delay = std::chrono::microseconds{round * 200'000 / rounds};
    const auto until = std::chrono::steady_clock::now() + delay;
    while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
    f.server.kill_hard();
    f.server.start();
  }
  std::set<std::string> successful_paths;
  for (const auto& execution : executions) {
    const Json run = f.server.wait_for(execution, std::chrono::seconds{30});
    if (run.at("status") != "Success") {
      EXPECT_EQ(run.at("status"), "Failed");
      continue;
    }
    EXPECT_TRUE(successful_paths.insert(run.at("path").get<std::string>()).second) << "two runs claim one file";
  }
  expect_no_temporaries(f);
  std::set<std::string> listed;
  for (const Json& file : f.server.files(f.destination)) listed.insert(file.at("path").get<std::string>());
  EXPECT_EQ(listed, successful_paths) << "what is listed is what succeeded";
  expect_listed_files_are_whole(f);
}

TEST(Kill, ForeignFilesAreNeverTouched) {
  FaultyRun f;
  const std::string job = f.job(f.source({{"wait_at_byte", 4'000'000}}));
  std::filesystem::create_directories(f.store + "/somebody");
  std::ofstream{f.store + "/somebody/else.part"} << "mine";
  std::ofstream{f.store + "/photo.jpg"} << "mine too";
  const std::string execution = f.server.run_job(job);
  f.wait_until_streaming(execution);
  f.server.kill_hard();
  f.server.start();
  f.server.wait_for(execution);
  EXPECT_TRUE(wait_until([&] { return files_below(f.store).size() == 2; })) << "only ours is cleaned up";
  EXPECT_TRUE(std::filesystem::exists(f.store + "/somebody/else.part"));
  EXPECT_TRUE(std::filesystem::exists(f.store + "/photo.jpg"));
}

TEST(Stop, FinishesWithExitStatusZeroAndKeepsWaitingRuns) {
  FaultyRun f{{{"DBACKUP_SERVER_SHUTDOWN_GRACE_SECONDS", "0"}}};
  const std::string running = f.server.run_job(f.job(f.source({{"wait_at_byte", 4'000'000}})));
  const std::string waiting = f.server.run_job(f.job(f.source({{"size_bytes", 1000}})));
  f.wait_until_streaming(running);
  EXPECT_EQ(f.server.stop(), 0);
  EXPECT_TRUE(files_below(f.store).empty()) << "a cancelled run leaves nothing";
  f.server.start();
  EXPECT_NE(status_of(f, running), "Running");
  EXPECT_NE(status_of(f, running), "Success");
  EXPECT_EQ(f.server.wait_for(waiting).at("status"), "Success");
}

}  // namespace
}  // namespace dbackup::testing
