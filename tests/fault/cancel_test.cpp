#include "tests/fault/faulty_run.hpp"

namespace dbackup::testing {
namespace {

TEST(Cancel, EndsARunningBackupWithinASecondAndLeavesNothing) {
  FaultyRun f;
  for (const int64_t at : {int64_t{0}, int64_t{3'000'000}, int64_t{16'000'000}}) {
    const std::string execution = f.server.run_job(f.job(f.source({{"wait_at_byte", at}})));
    ASSERT_TRUE(wait_until([&] { return f.server.get("/api/executions/" + execution).json()["data"]["stage"] == "Dumping Databases"; }));
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_EQ(f.server.post("/api/executions/" + execution + "/cancel").status, 200);
    const Json run = f.server.wait_for(execution);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{2});
    EXPECT_EQ(run.at("status"), "Cancelled");
    EXPECT_FALSE(run.at("error").is_null()) << "says who or why";
    f.expect_nothing_left();
    EXPECT_EQ(f.server.post("/api/executions/" + execution + "/cancel").status, 400) << "it has ended already";
  }
}

TEST(Cancel, EndsAWaitingRunAtOnce) {
  FaultyRun f;
  const std::string running = f.server.run_job(f.job(f.source({{"wait_at_byte", 0}})));
  const std::string waiting = f.server.run_job(f.job(f.source({{"size_bytes", 10}})));
  EXPECT_EQ(f.server.get("/api/executions/" + waiting).json()["data"]["status"], "Pending");
  EXPECT_EQ(f.server.post("/api/executions/" + waiting + "/cancel").status, 200);
  EXPECT_EQ(f.server.get("/api/executions/" + waiting).json()["data"]["status"], "Cancelled");
  EXPECT_EQ(f.server.post("/api/executions/" + running + "/cancel").status, 200);
  EXPECT_EQ(f.server.wait_for(running).at("status"), "Cancelled");
  EXPECT_EQ(f.server.post("/api/executions/none/cancel").status, 404);
}

TEST(Cancel, ReachesARestore) {
  FaultyRun f;
  const Json backup = f.server.wait_for(f.server.run_job(f.job(f.source({{"size_bytes", 5'000'000}}))));
  ASSERT_EQ(backup.at("status"), "Success");
  const std::string target = f.source({{"size_bytes", 5'000'000}, {"wait_at_byte", 1000}});
  const Answer started = f.server.post("/api/storage/" + f.destination + "/restore", {{"file", backup.at("path")}, {"targetSourceId", target}});
  ASSERT_EQ(started.status, 202) << started.body;
  const std::string execution = started.json().at("executionId").get<std::string>();
  ASSERT_TRUE(wait_until([&] { return f.server.get("/api/executions/" + execution).json()["data"]["status"] == "Running"; }));
  ASSERT_EQ(f.server.post("/api/executions/" + execution + "/cancel").status, 200);
  EXPECT_EQ(f.server.wait_for(execution, std::chrono::seconds{5}).at("status"), "Cancelled");
}

TEST(Failure, InTheMiddleOfADumpNamesItsCauseAndLeavesNothing) {
  FaultyRun f;
  for (const int64_t at : {0, 1, 65'536, 5'000'000, 16'777'216}) {
    const Json run = f.server.wait_for(f.server.run_job(f.job(f.source({{"fail_at_byte", at}}))));
    EXPECT_EQ(run.at("status"), "Failed");
    EXPECT_NE(run.at("error").get<std::string>().find("the configured fault"), std::string::npos) << run.at("error");
    f.expect_nothing_left();
  }
  EXPECT_TRUE(f.server.files(f.destination).empty());
}

TEST(Failure, OfTheOnlyDestinationEndsTheRunWithItsCause) {
  FaultyRun f;
  const std::string broken = f.server.create_adapter("storage", "synthetic-null", {{"fail_at_byte", 100'000}}, "Broken disk");
  const Json run = f.server.wait_for(f.server.run_job(f.job(f.source(Json::object()), broken)));
  EXPECT_EQ(run.at("status"), "Failed");
  const std::string error = run.at("error").get<std::string>();
  EXPECT_NE(error.find("the configured fault"), std::string::npos) << error;
  EXPECT_NE(error.find("Broken disk"), std::string::npos) << error;
}

}  // namespace
}  // namespace dbackup::testing
