#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/unit/api/session_stub.hpp"

namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;
using testing::SessionApi;

namespace fs = std::filesystem;

struct ServerFilesApi : SessionApi {
  Answer list(const std::string& path) {
    std::string query;
    for (const char c : path) {
      constexpr char kDigits[] = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      query += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
    return as("settings:read", Method::Get, "/api/system/filesystem?path=" + query);
  }
  void make_file(const std::string& name) { std::ofstream{folder.file(name)} << "content"; }
};

TEST(ServerFiles, ShowFoldersThenFilesByName) {
  ServerFilesApi api;
  const std::string base = api.folder.file("shown");
  for (const char* name : {"shown/b folder", "shown/a\"folder", "shown/\xC3\xBC"})
    fs::create_directories(api.folder.file(name));
  api.make_file("shown/a file");
  api.make_file("shown/\xFF\xFE");  // no text that JSON could hold
  fs::create_directory_symlink(base, base + "/link");
  const Answer answer = api.list(base + "/./b folder/..//");
  ASSERT_EQ(answer.status, 200) << answer.text;
  const auto entry = [&](const std::string& name, const char* type) {
    return Json{{"name", name}, {"type", type}, {"path", base + "/" + name}};
  };
  EXPECT_EQ(answer.body["data"],
            (Json{{"currentPath", base},
                  {"parentPath", fs::path{base}.parent_path().string()},
                  {"entries",
                   {entry("a\"folder", "directory"), entry("b folder", "directory"),
                    entry("link", "directory"), entry("\xC3\xBC", "directory"),
                    entry("a file", "file")}}}));
  const Json root = api.as("settings:read", Method::Get, "/api/system/filesystem").body["data"];
  EXPECT_EQ(root["currentPath"], "/");
  EXPECT_TRUE(root["parentPath"].is_null());
  for (const Json& item : root["entries"]) {
    EXPECT_NE(item["path"], "/proc");
    EXPECT_NE(item["path"], "/sys");
    EXPECT_NE(item["path"], "/dev");
  }
}

TEST(ServerFiles, ShowNothingOfTheKernelAndOfThePrivateFolder) {
  ServerFilesApi api;
  const std::string secret = api.folder.file("data/private");
  fs::create_directories(secret + "/tls");
  fs::create_directory_symlink(secret, api.folder.file("innocent"));
  fs::create_directory_symlink("/proc/self", api.folder.file("myself"));
  for (const std::string& path :
       {secret, secret + "/", secret + "/tls", secret + "/there is none",
        api.folder.file("innocent"), api.folder.file("innocent/tls"), api.folder.file("myself"),
        api.folder.file("data/../data/private"), std::string{"/proc"}, std::string{"/proc/1/fd"},
        std::string{"/sys/kernel"}, std::string{"/dev"}, std::string{"//dev/../proc"}}) {
    const Answer answer = api.list(path);
    EXPECT_EQ(answer.status, 403) << path << answer.text;
  }
  const Answer data = api.list(api.folder.file("data"));
  ASSERT_EQ(data.status, 200);
  EXPECT_EQ(data.text.find("private"), std::string::npos) << data.text;
  EXPECT_EQ(api.list(api.folder.path().string()).text.find("innocent"), std::string::npos);
}

TEST(ServerFiles, SayWhyAFolderIsNotShown) {
  ServerFilesApi api;
  api.make_file("a file");
  fs::create_directory_symlink(api.folder.file("loop"), api.folder.file("loop"));
  const std::pair<std::string, int> cases[] = {
      {api.folder.file("nowhere"), 404},
      {api.folder.file("a file"), 400},
      {api.folder.file("a file/below"), 400},
      {api.folder.file("loop"), 400},
      {"relative", 400},
      {"..", 400},
      {"/" + std::string(5000, 'x'), 400},
      {"/" + std::string(300, 'x'), 400},
  };
  for (const auto& [path, status] : cases) {
    EXPECT_EQ(api.list(path).status, status) << path.substr(0, 80);
  }
}

TEST(ServerFiles, AreForSignedInPeopleWhoMaySeeTheSettings) {
  ServerFilesApi api;
  const std::string path = "/api/system/filesystem";
  EXPECT_EQ(api.get(path).status, 403) << "a key, whatever it may";
  EXPECT_EQ(api.get(path, {.key = "none"}).status, 401);
  EXPECT_EQ(api.as("jobs:read", Method::Get, path).status, 403);
  EXPECT_EQ(api.as("settings:read", Method::Get, path).status, 200);
}

TEST(RemoteFolders, AreCheckedAndListed) {
  SessionApi api;
  const std::string path = "/api/system/filesystem/remote";
  const Json good{{"host", "nas"}, {"username", "backup"}, {"password", "hunter2"}};
  const auto status = [&](Json config, const Json& change, const Json& more = Json::object()) {
    config.update(change);
    Json body{{"config", config}};
    body.update(more);
    return api.as("settings:read,destinations:write", Method::Post, path, body).status;
  };
  EXPECT_EQ(status(good, Json::object()), 200);
  EXPECT_EQ(status(good, {{"port", "2222"}, {"authType", "agent"}}), 200);
  EXPECT_EQ(status(good, Json::object(), {{"path", "/srv"}}), 200);
  const Answer listed =
      api.as("settings:read", Method::Post, path, {{"config", good}, {"path", "/srv/"}});
  EXPECT_EQ(listed.body["data"], Json::parse(R"({"currentPath":"/srv","parentPath":"/","entries":[
      {"name":"a","type":"directory","path":"/srv/a"},{"name":"b.db","type":"file","path":"/srv/b.db"}]})"));
  EXPECT_EQ(status(good, {{"host", ""}}), 400);
  EXPECT_EQ(status(good, {{"username", nullptr}}), 400);
  EXPECT_EQ(status(good, {{"port", 0}}), 400);
  EXPECT_EQ(status(good, {{"port", "ssh"}}), 400);
  EXPECT_EQ(status(good, {{"authType", "privateKey"}}), 400);
  EXPECT_EQ(status(good, {{"authType", "luck"}}), 400);
  EXPECT_EQ(status(good, Json::object(), {{"path", "srv"}}), 400);
  EXPECT_EQ(status(good, Json::object(), {{"sshCredentialId", "c"}}), 400);
  const std::string login =
      api.post("/api/credentials", {{"name", "nas"},
                                    {"type", "SSH_KEY"},
                                    {"data", {{"username", "backup"}, {"authType", "agent"}}}})
          .body["data"]["id"]
          .get<std::string>();
  const Json bare{{"host", "nas"}};
  EXPECT_EQ(status(bare, Json::object()), 400);
  EXPECT_EQ(status(bare, Json::object(), {{"sshCredentialId", login}}), 200);
  EXPECT_EQ(api.as("settings:read", Method::Post, path, Json::object()).status, 400);
  EXPECT_EQ(api.as("jobs:read", Method::Post, path, {{"config", good}}).status, 403);
  // Who only reads may use a login of their own, and none that the server keeps.
  EXPECT_EQ(api.as("settings:read", Method::Post, path, {{"config", good}}).status, 200);
  Json agent = good;
  agent["authType"] = "agent";
  EXPECT_EQ(api.as("settings:read", Method::Post, path, {{"config", agent}}).status, 403);
  const Json stored{{"config", bare}, {"sshCredentialId", login}};
  EXPECT_EQ(api.as("settings:read", Method::Post, path, stored).status, 403);
  EXPECT_EQ(api.post(path, {{"config", good}}).status, 403) << "a key";
}

TEST(SshTests, AreCheckedAndMade) {
  ApiFixture api;
  const auto post = [&](const Json& config, const Json& more = Json::object()) {
    Json body{{"config", config}};
    body.update(more);
    return api.post("/api/adapters/test-ssh", body);
  };
  const Json prefixed{{"sshHost", "nas"}, {"sshUsername", "backup"}, {"sshAuthType", "agent"}};
  const Json bare{{"host", "nas"}, {"username", "backup"}, {"authType", "agent"}};
  const Answer made = post(prefixed);
  EXPECT_EQ(made.status, 200);
  EXPECT_EQ(made.body, Json::parse(R"({"success":true,"message":"trust-first -"})"));
  Json down = prefixed;
  down["sshHost"] = "down";
  EXPECT_EQ(post(down).status, 200);
  EXPECT_EQ(post(down).body["success"], false);
  EXPECT_EQ(post(bare).status, 200);
  EXPECT_EQ(post(Json(prefixed.dump())).status, 200) << "as JSON text";
  EXPECT_EQ(post(Json::object()).status, 400);
  EXPECT_EQ(post(prefixed, {{"adapterId", "oracle"}}).status, 400);
  EXPECT_EQ(post(prefixed, {{"adapterId", "scripted-db"}}).status, 400)
      << "that kind has no prefixed settings";
  EXPECT_EQ(post(bare, {{"adapterId", "scripted-db"}}).status, 200);
  EXPECT_EQ(post(prefixed, {{"sshCredentialId", "c"}}).status, 400);
  for (const char* path : {"", "a\nb"}) {
    Json config = prefixed;
    config["backupPath"] = path;
    EXPECT_EQ(post(config).status, 400) << path;
  }
}

TEST(SshTests, SendNoLoginOfTheServerWhereAReaderLikes) {
  SessionApi api;
  const std::string path = "/api/adapters/test-ssh";
  const std::string login =
      api.post("/api/credentials",
               {{"name", "db"},
                {"type", "SSH_KEY"},
                {"data", {{"username", "u"}, {"authType", "password"}, {"password", "kept"}}}})
          .body["data"]["id"]
          .get<std::string>();
  const Json stored{{"config", {{"sshHost", "elsewhere"}}}, {"sshCredentialId", login}};
  const Json agent{
      {"config", {{"sshHost", "elsewhere"}, {"sshUsername", "u"}, {"sshAuthType", "agent"}}}};
  for (const Json& body : {stored, agent}) {
    EXPECT_EQ(api.as("sources:view", Method::Post, path, body).status, 403) << body;
    EXPECT_EQ(api.as("sources:view,sources:write", Method::Post, path, body).status, 200) << body;
  }
}

TEST(SshTests, LetOnlyThoseWhoWriteAdaptersTrustANewHost) {
  SessionApi api;
  const Json body{{"config", {{"sshHost", "new"}, {"sshUsername", "u"}, {"sshPassword", "own"}}}};
  const auto known = [&] { return api.get("/api/ssh-host-keys").body["data"].size(); };
  EXPECT_EQ(api.as("sources:view", Method::Post, "/api/adapters/test-ssh", body).status, 200);
  EXPECT_EQ(known(), 0U);
  EXPECT_EQ(
      api.as("sources:view,sources:write", Method::Post, "/api/adapters/test-ssh", body).status,
      200);
  EXPECT_EQ(known(), 1U);
}

TEST(OAuth, IsRefusedWhileNoAdapterUsesIt) {
  SessionApi api;
  for (const std::string kind : {"dropbox", "google-drive", "onedrive"}) {
    const std::string base = "/api/adapters/" + kind;
    const std::string text = "unsupported adapter \"" + kind + "\"";
    const Json body{{"credentialId", "c-1"}};
    const Answer begun = api.as("credentials:write", Method::Post, base + "/auth", body);
    EXPECT_EQ(begun.status, 400);
    EXPECT_EQ(begun.body["error"], text);
    EXPECT_EQ(api.as("jobs:read", Method::Post, base + "/auth", body).status, 403);
    const Answer back = api.as("jobs:read", Method::Get, base + "/callback?code=1&state=2");
    EXPECT_EQ(back.status, 400);
    EXPECT_EQ(back.body["error"], text);
    EXPECT_EQ(api.get(base + "/callback").status, 403) << "a key has no browser";
    const Answer valid = api.as("credentials:read", Method::Post, base + "/validate-token", body);
    EXPECT_EQ(valid.status, 400);
    EXPECT_EQ(valid.body["valid"], false);
    EXPECT_EQ(valid.body["message"], text);
    const std::string folders = "/api/system/filesystem/" + kind;
    EXPECT_EQ(api.as("destinations:read", Method::Post, folders, body).body["error"], text);
    EXPECT_EQ(api.as("jobs:read", Method::Post, folders, body).status, 403);
    EXPECT_EQ(api.post(folders, body).status, 403);
  }
}

}  // namespace
}  // namespace dbackup::host
