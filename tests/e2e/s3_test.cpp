#include <set>

#include "tests/e2e/scenario.hpp"
#include "tests/support/s3_server.hpp"

namespace dbackup::testing {
namespace {

/// The scenario with a bucket instead of the folder.
struct BucketScenario {
  BucketScenario() {
    Json config = s3.adapter_config();
    for (const char* name : {"accountId", "accessKeyId", "secretAccessKey"}) config.erase(name);
    const Answer profile = scenario.server.post(
        "/api/credentials",
        {{"name", "bucket key"},
         {"type", "ACCESS_KEY"},
         {"data", {{"accessKeyId", "AKIDTEST"}, {"secretAccessKey", "test/secret+key"}}}});
    EXPECT_EQ(profile.status, 201) << profile.body;
    const Answer made = scenario.server.post(
        "/api/adapters", {{"name", "Bucket"},
                          {"type", "storage"},
                          {"adapterId", "s3-generic"},
                          {"config", config},
                          {"primaryCredentialId", profile.json().at("data").at("id")}});
    EXPECT_EQ(made.status, 201) << made.body;
    scenario.destination = made.json().at("id").get<std::string>();
  }

  std::set<std::string> keys() const {
    std::set<std::string> out;
    const Json state = s3.state();
    for (const auto& [key, object] : state.at("objects").items()) {
      (void)object;
      out.insert(key);
    }
    return out;
  }

  S3Server s3;
  Scenario scenario;
};

TEST(S3Destination, IsBackedUpToListedDownloadedRestoredAndDeleted) {
  BucketScenario b;
  Scenario& s = b.scenario;
  const std::string before = s.content(s.database);
  const Json run = s.back_up();
  const auto path = run.at("path").get<std::string>();
  const std::set<std::string> wanted{"some/prefix/" + path, "some/prefix/" + path + ".meta.json"};
  EXPECT_EQ(b.keys(), wanted) << "exactly the backup and its metadata, below the prefix";

  const Json files = s.server.files(s.destination);
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].at("path"), path);

  std::string encoded;
  for (const char c : path) encoded += c == ' ' ? "%20" : std::string(1, c);
  const Answer whole = s.server.get("/api/storage/" + s.destination + "/download?file=" + encoded);
  ASSERT_EQ(whole.status, 200) << whole.body.substr(0, 200);
  EXPECT_EQ(whole.body.size(), b.s3.state().at("objects").at("some/prefix/" + path).at("size"));

  sqlite(s.database, "DROP TABLE notes");
  const Answer restore = s.server.post("/api/storage/" + s.destination + "/restore",
                                       {{"file", path}, {"targetSourceId", s.source}});
  ASSERT_EQ(restore.status, 202) << restore.body;
  const Json restored = s.server.wait_for(restore.json().at("executionId").get<std::string>());
  ASSERT_EQ(restored.at("status"), "Success") << restored.dump(1);
  EXPECT_EQ(s.content(s.database), before);

  const Answer removed =
      s.server.call("DELETE", "/api/storage/" + s.destination + "/files", {{"path", path}});
  EXPECT_LT(removed.status, 300) << removed.body;
  EXPECT_TRUE(b.keys().empty()) << "the metadata goes with the backup";
}

TEST(S3Destination, ThatRefusesThePartsFailsTheRunAndKeepsNothing) {
  BucketScenario b;
  Scenario& s = b.scenario;
  b.s3.fail({{"method", "PUT"},
             {"times", 1000},
             {"action", "error"},
             {"status", 403},
             {"code", "AccessDenied"}});
  const Json run = s.server.wait_for(s.server.run_job(s.job()));
  EXPECT_EQ(run.at("status"), "Failed");
  EXPECT_EQ(run.dump().find("test/secret+key"), std::string::npos);
  EXPECT_TRUE(b.keys().empty());
}

}  // namespace
}  // namespace dbackup::testing
