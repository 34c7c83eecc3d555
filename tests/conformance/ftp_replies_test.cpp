#include <fstream>

#include "plugin_under_test.hpp"
#include "remote_storage_cases.hpp"
#include "tests/support/child_server.hpp"

// What servers reply that ProFTPD cannot be made to say.
namespace dbackup::testing {
namespace {

namespace fs = std::filesystem;

class ScriptedFtpServer {
 public:
  explicit ScriptedFtpServer(const Json& answers, bool tls = false) {
    const std::string folder = process_.folder().string();
    fs::create_directory(root());
    std::vector<std::string> more;
    if (tls) {
      more = {folder + "/cert.pem", folder + "/key.pem"};
      process_.run({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", more[1], "-out", more[0]});
    }
    for (int tries = 0; tries < 5; ++tries) {
      port_ = free_port();
      std::vector<std::string> argv{
          "/usr/bin/python3", "-B",
          ::dbackup::test::source_dir() + "/tests/support/scripted_ftp_server.py",
          root().string(), std::to_string(port_), answers.dump()};
      argv.insert(argv.end(), more.begin(), more.end());
      if (process_.start_listening(argv, port_)) return;
    }
    throw std::runtime_error{"the scripted FTP server does not start: " + process_.log_tail()};
  }
  fs::path root() const { return process_.folder() / "root"; }
  std::string sent_in_the_clear() const {
    std::ifstream in{root().string() + ".clear"};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  Json config(const Json& more = Json::object()) const {
    Json out{{"host", "localhost"}, {"port", port_},       {"username", "me"},
             {"password", "p"},     {"pathPrefix", "/"}, {"caFile", process_.folder() / "cert.pem"}};
    out.update(more);
    return out;
  }

 private:
  ChildServer process_{"scripted-ftp"};
  int port_ = 0;
};

TEST(FtpReplies, OfAServerThatLeavesNothingOutAreEnoughToStoreAndList) {
  const ScriptedFtpServer server{Json::object()};
  const StorageBench bench{"ftp", server.config()};
  ASSERT_TRUE(bench.put("a job/b.sql", "x").ok()) << bench.put("a job/c.sql", "x").text();
  EXPECT_EQ(bench.paths(), std::set<std::string>{"a job/b.sql"});
  EXPECT_EQ(bench.remove("a job/b.sql").result.at("removed"), true);
}

TEST(FtpReplies, NeverLetABackupGoInTheClearWhenTlsIsRefusedForTheData) {
  const ScriptedFtpServer server{{{"PROT", "534 no"}}, /*tls=*/true};
  const StorageBench bench{"ftp", server.config({{"tlsMode", "implicit"}})};
  const Outcome outcome = bench.put("a.sql", "secret backup bytes");
  EXPECT_EQ(outcome.status, DBACKUP_FAILED_PRECONDITION) << outcome.text();
  EXPECT_EQ(server.sent_in_the_clear(), "");
}

TEST(FtpReplies, ThatRefuseAListAreNotTakenForAnEmptyFolder) {
  for (const char* reply : {"450 busy", "550 Permission denied.", "550 Failed to open."}) {
    const ScriptedFtpServer server{{{"LIST", reply}}};
    FakeCall call;
    ItemList items;
    const Outcome outcome = StorageBench("ftp", server.config()).list(call, "", items);
    EXPECT_FALSE(outcome.ok()) << reply;
  }
  for (const char* reply : {"450 No files found", "550 a: No such file or directory"}) {
    const ScriptedFtpServer server{{{"LIST", reply}}};
    EXPECT_TRUE(StorageBench("ftp", server.config()).paths().empty()) << reply;
  }
}

TEST(FtpReplies, ToARemovalThatWasRefusedAreNotTakenForAMissingFile) {
  const ScriptedFtpServer server{{{"DELE", "550 Delete operation failed."}}};
  std::ofstream{server.root() / "a.sql"} << "x";
  const StorageBench bench{"ftp", server.config()};
  const Outcome outcome = bench.remove("a.sql");
  EXPECT_EQ(outcome.status, DBACKUP_PERMISSION_DENIED) << outcome.text();
  EXPECT_EQ(bench.remove("b.sql").result.at("removed"), false);
}

}  // namespace
}  // namespace dbackup::testing
