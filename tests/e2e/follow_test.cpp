#include <algorithm>

#include "tests/e2e/scenario.hpp"

/// A real run, waited for and followed.
namespace dbackup::testing {
namespace {

TEST(FollowedRun, IsAnsweredWhenItHasEndedWithItsLabels) {
  Scenario scene;
  const std::string job = scene.job({{"name", "labelled"}});
  const Answer run =
      scene.server.post("/api/jobs/" + job + "/run?wait=60", {{"labels", {{"build", "1187"}}}});
  ASSERT_EQ(run.status, 200) << run.body;
  const Json data = run.json().at("data");
  EXPECT_EQ(data.at("status"), "Success") << data.dump(1);
  EXPECT_FALSE(data.at("endedAt").is_null());
  EXPECT_EQ(data.at("labels"), (Json{{"build", "1187"}}));
  const Json runs = scene.server.get("/api/executions?label=build=1187&status=Success").json();
  EXPECT_EQ(runs.at("total"), 1);
  EXPECT_EQ(runs.at("data")[0].at("id"), data.at("id"));
  const std::string files = "/api/storage/" + scene.destination + "/files";
  const Json newest = scene.server.get(files + "/latest?jobId=" + job).json();
  EXPECT_EQ(newest.at("path"), data.at("path"));
  EXPECT_EQ(newest.at("labels"), (Json{{"build", "1187"}}));
  EXPECT_EQ(scene.server.get(files + "?label=build=1187").json().size(), 1U);
  EXPECT_EQ(scene.server.get(files + "?label=build=1188").json().size(), 0U);
}

TEST(FollowedRun, TellsEveryLineOfItsLogAndThenTheEnd) {
  Scenario scene;
  const std::string id = scene.server.run_job(scene.job());
  const Answer stream = scene.server.get("/api/executions/" + id + "/events");
  EXPECT_EQ(stream.status, 200);
  const Json ended =
      scene.server.get("/api/executions/" + id + "?includeLogs=true").json().at("data");
  EXPECT_EQ(ended.at("status"), "Success");
  size_t at = 0;
  for (const Json& line : ended.at("logs")) {
    const std::string event =
        "id: " + std::to_string(line.at("index").get<int>()) + "\nevent: log\n";
    at = stream.body.find(event, at);
    ASSERT_NE(at, std::string::npos) << event << stream.body;
  }
  EXPECT_NE(stream.body.find("event: stage\n"), std::string::npos);
  EXPECT_NE(stream.body.find("event: end\n", at), std::string::npos);
  const Answer text = scene.server.get("/api/executions/" + id + "/logs?format=text");
  EXPECT_EQ(static_cast<size_t>(std::count(text.body.begin(), text.body.end(), '\n')),
            ended.at("logs").size());
  const Json stats = scene.server.get("/api/dashboard/stats").json().at("data");
  EXPECT_EQ(stats.at("success24h"), 1);
  EXPECT_EQ(stats.at("totalSnapshots"), 1);
}

TEST(FollowedRun, IsReadBackWhenTheJobWantsItVerified) {
  Scenario scene;
  const Json run = scene.back_up({{"verifyByHash", true}});
  const Json file = scene.server.get("/api/storage/" + scene.destination + "/files/latest").json();
  EXPECT_EQ(file.at("verification").at("passed"), true);
  EXPECT_EQ(file.at("verification").at("trigger"), "post-upload");
  EXPECT_EQ(file.at("signature"), "signed");
}

}  // namespace
}  // namespace dbackup::testing
