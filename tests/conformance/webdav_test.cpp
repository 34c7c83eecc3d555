#include "plugin_under_test.hpp"
#include "remote_storage_cases.hpp"
#include "tests/support/http_recorder.hpp"
#include "tests/support/webdav_server.hpp"

namespace dbackup::testing {
namespace {

using Auth = WebdavServer::Auth;
using ::dbackup::test::HttpRecorder;

Json config_of(const WebdavServer& server) {
  return {{"url", server.url()},
          {"username", server.username()},
          {"password", server.password()},
          {"caFile", server.ca_file()}};
}

class Apache {
 public:
  static constexpr const char* kPlugin = "webdav";
  static constexpr bool kAtomic = false;

  Json config() const {
    Json out = config_of(server_);
    out.erase("caFile");
    return out;
  }
  Json unreachable_config() const {
    Json out = config();
    out["url"] = "http://localhost:" + std::to_string(free_port()) + "/";
    return out;
  }
  std::filesystem::path root() const { return server_.root(); }
  void kill() { server_.kill(); }
  void restart() { server_.restart(); }
  static std::vector<uint64_t> sizes() {
    return {0, 1, 65536, 65537, 512 * 1024, 512 * 1024 + 1, 5'000'000};
  }

 private:
  WebdavServer server_{{}};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Webdav, RemoteStorage, Apache);

TEST(Webdav, LogsInByDigestWhereTheServerWantsIt) {
  const WebdavServer server{{.auth = Auth::Digest}};
  Json config = config_of(server);
  config.erase("caFile");
  const StorageBench bench{"webdav", config};
  ASSERT_TRUE(bench.test().ok()) << bench.test().text();
  FakeCall call;
  GeneratedReader in{3'000'000};
  ASSERT_TRUE(bench.put(call, "job/a.sql", in).ok());
  EXPECT_EQ(bench.content("job/a.sql").size(), 3'000'000U);
}

TEST(Webdav, NeedsNoLoginWhereTheServerWantsNone) {
  const WebdavServer server{{.auth = Auth::None}};
  const StorageBench bench{"webdav", {{"url", server.url() + "/"}}};
  ASSERT_TRUE(bench.test().ok()) << bench.test().text();
  EXPECT_TRUE(bench.put("a.sql", "x").ok());
}

TEST(Webdav, NamesTheAccountOfARefusedLoginAndNotItsPassword) {
  const WebdavServer server{{}};
  Json config = config_of(server);
  config.erase("caFile");
  config["password"] = "wrong-secret";
  const Outcome outcome = StorageBench("webdav", config).test();
  EXPECT_EQ(outcome.status, DBACKUP_UNAUTHENTICATED) << outcome.text();
  EXPECT_NE(outcome.message.find("refuses the login of \"backup\""), std::string::npos);
  EXPECT_EQ((outcome.message + outcome.detail).find("wrong-secret"), std::string::npos);
}

TEST(Webdav, RefusesACertificateItCannotCheckUnlessToldOtherwise) {
  const WebdavServer server{{.tls = true}};
  Json config = config_of(server);
  EXPECT_TRUE(StorageBench("webdav", config).test().ok());
  config.erase("caFile");
  EXPECT_EQ(StorageBench("webdav", config).test().status, DBACKUP_FAILED_PRECONDITION);
  config["tlsVerify"] = false;
  EXPECT_TRUE(StorageBench("webdav", config).test().ok());
  config["tlsVerify"] = true;
  config["caFile"] = server.ca_file();
  config["url"] = "https://127.0.0.1:" + std::to_string(server.port()) + "/dav files";
  EXPECT_EQ(StorageBench("webdav", config).test().status, DBACKUP_FAILED_PRECONDITION);
}

TEST(Webdav, MakesAMissingPrefixWithTheFirstBackupAndOnlyThen) {
  const WebdavServer server{{}};
  Json config = config_of(server);
  config.erase("caFile");
  config["pathPrefix"] = "/data/my backups/";
  const StorageBench bench{"webdav", config};
  const Outcome pinged = bench.ping();
  EXPECT_EQ(pinged.status, DBACKUP_NOT_FOUND) << pinged.text();
  EXPECT_NE(pinged.message.find("\"pathPrefix\" does not exist"), std::string::npos);
  ASSERT_TRUE(bench.put("job/a.sql", "x").ok());
  EXPECT_TRUE(std::filesystem::exists(server.root() / "data/my backups/job/a.sql"));
  EXPECT_EQ(bench.paths(), std::set<std::string>{"job/a.sql"});
}

TEST(Webdav, StoresAgainInAFolderWhoseNameTheServerSpellsInAnotherWay) {
  const WebdavServer server{{}};
  Json config = config_of(server);
  config.erase("caFile");
  const StorageBench bench{"webdav", config};
  for (const std::string name : {"Größe", "DB (prod)", "a & b, c", "it's #1 100%"}) {
    ASSERT_TRUE(bench.put(name + "/1.sql", "x").ok()) << name;
    const Outcome again = bench.put(name + "/2.sql", "y");
    EXPECT_TRUE(again.ok()) << name << ": " << again.text();
  }
  EXPECT_EQ(bench.paths().size(), 8U);
}

TEST(Webdav, RefusesAListThatIsNotOfTheFolderItAskedFor) {
  HttpRecorder elsewhere;
  elsewhere.answer("207 Multi-Status",
                   "<multistatus xmlns=\"DAV:\"><response><href>/other/</href><propstat><prop>"
                   "<resourcetype><collection/></resourcetype></prop><status>HTTP/1.1 200 OK"
                   "</status></propstat></response></multistatus>",
                   "Content-Type: application/xml\r\n");
  const StorageBench bench{"webdav", {{"url", elsewhere.url("/dav")}}};
  FakeCall call;
  ItemList items;
  const Outcome outcome = bench.list(call, "", items);
  EXPECT_EQ(outcome.status, DBACKUP_FAILED_PRECONDITION) << outcome.text();
  EXPECT_EQ(bench.ping().status, DBACKUP_FAILED_PRECONDITION);
  for (const Json& config : {Json{{"url", "http://localhost//dav"}},
                             Json{{"url", "http://localhost/dav"}, {"pathPrefix", "a//b"}}}) {
    EXPECT_EQ(StorageBench("webdav", config).ping().status, DBACKUP_INVALID_ARGUMENT);
  }
}

TEST(Webdav, FollowsNoRedirectWithItsPassword) {
  const WebdavServer server{{}};
  Json config = config_of(server);
  config.erase("caFile");
  config["url"] = "http://localhost:" + std::to_string(server.port()) + "/moved";
  const Outcome outcome = StorageBench("webdav", config).ping();
  EXPECT_EQ(outcome.status, DBACKUP_FAILED_PRECONDITION) << outcome.text();
  EXPECT_NE(outcome.message.find("redirects to http://127.0.0.1:1"), std::string::npos)
      << outcome.message;
}

TEST(Webdav, ExplainsAServerThatLimitsUploads) {
  const WebdavServer server{{.more = "LimitRequestBody 1000000\n"}};
  Json config = config_of(server);
  config.erase("caFile");
  const StorageBench bench{"webdav", config};
  EXPECT_TRUE(bench.put("small", std::string(500'000, 'x')).ok());
  const Outcome outcome = bench.put("large", std::string(5'000'000, 'x'));
  EXPECT_EQ(outcome.status, DBACKUP_FAILED_PRECONDITION) << outcome.text();
  EXPECT_NE(outcome.message.find("limits the size of an upload"), std::string::npos)
      << outcome.message;
  EXPECT_EQ(files_below(server.root()), 1U);
}

TEST(Webdav, CutsARangeOutOfTheWholeFileForAServerWithoutRanges) {
  const WebdavServer server{{.more = "MaxRanges none\n"}};
  Json config = config_of(server);
  config.erase("caFile");
  const StorageBench bench{"webdav", config};
  FakeCall call;
  GeneratedReader in{2'000'000};
  ASSERT_TRUE(bench.put(call, "a.sql", in).ok());
  FakeCall reading;
  ComparingWriter out{700'001};
  const Outcome got =
      bench.get(reading, {{"path", "a.sql"}, {"offset", 700'001}, {"length", 600'000}}, out);
  EXPECT_TRUE(got.ok()) << got.text();
  EXPECT_TRUE(out.equal() && out.size() == 600'000U) << out.size();
}

}  // namespace
}  // namespace dbackup::testing
