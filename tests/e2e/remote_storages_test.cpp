#include "tests/e2e/scenario.hpp"
#include "tests/support/ftp_server.hpp"
#include "tests/support/webdav_server.hpp"

namespace dbackup::testing {
namespace {

/// A backup's whole life on a storage: made, listed, downloaded, restored, deleted.
void live_through(Scenario& s, const std::string& storage, const std::filesystem::path& root) {
  const std::string before = s.content(s.database);
  const Json run = s.back_up({{"destinations", Json::array({{{"configId", storage}}})}});
  const std::string path = run.at("path").get<std::string>();
  EXPECT_TRUE(std::filesystem::exists(root / path)) << path;
  ASSERT_EQ(s.server.files(storage).size(), 1U) << s.server.files(storage).dump(1);

  std::string encoded;
  for (const char c : path) encoded += c == ' ' ? "%20" : std::string(1, c);
  const Answer stored = s.server.get("/api/storage/" + storage + "/download?file=" + encoded);
  ASSERT_EQ(stored.status, 200) << stored.body.substr(0, 200);
  EXPECT_EQ(stored.body, read_file(root / path));

  sqlite(s.database, "DROP TABLE notes");
  const Answer started = s.server.post("/api/storage/" + storage + "/restore",
                                       {{"file", path}, {"targetSourceId", s.source}});
  ASSERT_EQ(started.status, 202) << started.body;
  const Json restored = s.server.wait_for(started.json().at("executionId").get<std::string>());
  ASSERT_EQ(restored.at("status"), "Success") << restored.dump(1);
  EXPECT_EQ(s.content(s.database), before);

  const Answer removed =
      s.server.call("DELETE", "/api/storage/" + storage + "/files", {{"path", path}});
  EXPECT_EQ(removed.status, 200) << removed.body;
  EXPECT_TRUE(files_below(root).empty()) << files_below(root).front();
}

TEST(RemoteStorages, KeepABackupByFtpWithTls) {
  const FtpServer remote{{.tls = FtpServer::Tls::Explicit}};
  Scenario s;
  live_through(s,
               s.server.create_adapter("storage", "ftp",
                                       {{"host", "localhost"},
                                        {"port", remote.port()},
                                        {"username", remote.username()},
                                        {"password", remote.password()},
                                        {"tls", true},
                                        {"caFile", remote.ca_file()},
                                        {"pathPrefix", "/my backups"}},
                                       "FTP"),
               remote.root() / "my backups");
}

TEST(RemoteStorages, KeepABackupByWebdav) {
  const WebdavServer remote{{}};
  Scenario s;
  live_through(s,
               s.server.create_adapter("storage", "webdav",
                                       {{"url", remote.url()},
                                        {"username", remote.username()},
                                        {"password", remote.password()},
                                        {"pathPrefix", "my backups"}},
                                       "WebDAV"),
               remote.root() / "my backups");
}

}  // namespace
}  // namespace dbackup::testing
