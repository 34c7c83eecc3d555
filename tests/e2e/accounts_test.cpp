#include "tests/e2e/scenario.hpp"

/// Setting up an empty instance by people and credentials alone, through the real program.
namespace dbackup::testing {
namespace {

struct Person {
  explicit Person(DBackupServer& s) : server{s} {}
  Answer call(const std::string& method, const std::string& path, const Json& body = nullptr) {
    CallOptions options{.key = "-", .headers = {{"Origin", server.url()}}};
    if (!cookie.empty()) options.headers["Cookie"] = cookie;
    Answer answer = server.call(method, path, body, options);
    if (const auto set = answer.headers.find("set-cookie"); set != answer.headers.end())
      cookie = set->second.substr(0, set->second.find(';'));
    return answer;
  }
  DBackupServer& server;
  std::string cookie;
};

TEST(AnEmptyInstance, IsSetUpByItsFirstUser) {
  DBackupServer server;
  Person ada{server};
  const Answer up = ada.call(
      "POST", "/api/auth/sign-up/email",
      {{"name", "Ada"}, {"email", "ada@example.org"}, {"password", "correct horse battery"}});
  ASSERT_EQ(up.status, 200) << up.body;
  const Answer key = ada.call("POST", "/api/api-keys",
                              {{"name", "ci"}, {"permissions", {"jobs:read", "jobs:execute"}}});
  ASSERT_EQ(key.status, 201) << key.body;
  const std::string raw = key.json().at("data").at("rawKey").get<std::string>();
  EXPECT_EQ(server.call("GET", "/api/jobs", nullptr, {.key = raw}).status, 200);
  EXPECT_EQ(server.call("GET", "/api/users", nullptr, {.key = raw}).status, 403);
  ada.call("POST", "/api/auth/sign-out");
  EXPECT_EQ(ada.call("GET", "/api/jobs").status, 401);
  // The operator's way back in.
  const auto [status, out] = server.run_cli(
      {"user", "reset-password", "--email", "ada@example.org", "--generate", "--json"});
  ASSERT_EQ(status, 0);
  ada.cookie.clear();
  EXPECT_EQ(ada.call("POST", "/api/auth/sign-in/email",
                     {{"email", "ada@example.org"}, {"password", Json::parse(out).at("password")}})
                .status,
            200);
  EXPECT_EQ(ada.call("GET", "/api/users").status, 200);
  EXPECT_EQ(server.log().find("correct horse"), std::string::npos);
}

TEST(ALostProfile, ComesBackWithItsKeyAndABackupThatItOpens) {
  Scenario s;
  const std::string path = s.back_up({{"name", "lost"}}).at("path").get<std::string>();
  const std::string profile = "/api/encryption-profiles/" + s.profile;
  const std::string hex =
      s.server.get(profile + "/reveal").json().at("data").at("keyHex").get<std::string>();
  const auto recover = [&](const std::string& key) {
    return s.server.post("/api/encryption-profiles/recover",
                         {{"storageId", s.destination}, {"file", path}, {"keyHex", key}});
  };
  EXPECT_EQ(recover(hex).json().at("data").at("status"), "existing");
  EXPECT_EQ(recover(std::string(64, '7')).status, 422);
  const Answer jobs = s.server.get("/api/jobs");
  for (const Json& job : jobs.json())
    s.server.call("DELETE", "/api/jobs/" + job.at("id").get<std::string>());
  ASSERT_EQ(s.server.call("DELETE", profile + "?purge=true&name=main").status, 200);
  const std::string download =
      "/api/storage/" + s.destination + "/download?decrypt=true&file=" + path;
  EXPECT_EQ(s.server.get(download).status, 422);
  const Answer back = recover(hex);
  ASSERT_EQ(back.status, 200) << back.body;
  EXPECT_EQ(back.json().at("data").at("status"), "imported");
  EXPECT_EQ(s.server.get(download).status, 200);
}

}  // namespace
}  // namespace dbackup::testing
