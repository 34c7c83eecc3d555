#include "tests/fault/faulty_run.hpp"

namespace dbackup::testing {
namespace {

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Invariant 5: no secret in log, argv, environment of others, API answer, sidecar or metadata in clear.
TEST(Secrets, AppearNowhereInClear) {
  const std::string secret = "correct-horse-battery-staple-4711";
  FaultyRun f;
  const std::string source = f.server.create_adapter(
      "database", "postgres", {{"host", "127.0.0.1"}, {"port", 1}, {"user", "backup"}, {"password", secret}}, "Orders");
  const std::string job = f.job(source);
  f.server.wait_for(f.server.run_job(job));  // fails: nobody listens there
  std::string answers;
  for (const std::string& path : {std::string("/api/adapters?type=database"), "/api/adapters/" + source, std::string("/api/jobs"), "/api/jobs/" + job,
                                  std::string("/api/history"), std::string("/api/adapter-types")}) {
    const Answer answer = f.server.get(path);
    EXPECT_EQ(answer.status, 200) << path;
    answers += answer.body;
  }
  const Answer updated = f.server.call("PUT", "/api/adapters/" + source, {{"config", {{"host", "127.0.0.1"}, {"port", 2}, {"user", "backup"}, {"password", ""}}}});
  EXPECT_EQ(updated.status, 200) << updated.body;
  EXPECT_EQ(updated.json().at("secretStatus").at("password"), true) << "an empty secret keeps the stored one";
  answers += updated.body;
  answers += f.server.post("/api/adapters/test-connection", {{"adapterId", "postgres"}, {"configId", source}, {"config", {{"host", "127.0.0.1"}, {"port", 1}, {"user", "backup"}}}}).body;
  EXPECT_EQ(answers.find(secret), std::string::npos);
  EXPECT_EQ(f.server.log().find(secret), std::string::npos);
  for (const auto& file : files_below(f.server.data_dir())) {
    EXPECT_EQ(slurp(f.server.data_dir() / file).find(secret), std::string::npos) << file;
  }
}

TEST(Secrets, WorkersAndToolsDoNotInheritTheMasterKey) {
  const std::string key(64, 'a');
  FaultyRun f{{{"DBACKUP_ENCRYPTION_KEY", key}}};
  const std::string execution = f.server.run_job(f.job(f.source({{"wait_at_byte", 4'000'000}})));
  f.wait_until_streaming(execution);
  const auto workers = f.server.descendants();
  ASSERT_FALSE(workers.empty());
  for (const pid_t worker : workers) {
    for (const char* file : {"environ", "cmdline"}) {
      const std::string text = slurp("/proc/" + std::to_string(worker) + "/" + file);
      EXPECT_FALSE(text.empty());
      EXPECT_EQ(text.find(key), std::string::npos) << file;
    }
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(worker) + "/fd")) {
      std::error_code failed;
      const std::string target = std::filesystem::read_symlink(entry.path(), failed).string();
      EXPECT_EQ(target.find(f.server.data_dir().string()), std::string::npos) << "a worker holds " << target;
      EXPECT_EQ(target.find("socket:"), std::string::npos) << "a worker holds a client's socket";
    }
  }
  EXPECT_FALSE(std::filesystem::exists(f.server.data_dir() / "private" / "master.key"));
  f.server.post("/api/executions/" + execution + "/cancel");
  f.server.wait_for(execution);
}

}  // namespace
}  // namespace dbackup::testing
