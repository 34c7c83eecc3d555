#include <signal.h>
#include <unistd.h>

#include "plugin_under_test.hpp"
#include "remote_storage_cases.hpp"

namespace dbackup::testing {
namespace {

namespace fs = std::filesystem;

/// OpenSSH's sftp-server, started for each session by the testing kit in place of an SSH server.
class SftpServer {
 public:
  static constexpr const char* kPlugin = "sftp";
  static constexpr bool kAtomic = true;

  SftpServer() { fs::create_directories(root()); }
  Json config() const {
    return {{"host", "localhost"}, {"username", "me"}, {"pathPrefix", root().string()}};
  }
  static Json unreachable_config() { return nullptr; }
  fs::path root() const { return folder_.path() / "root"; }
  /// Kills the servers that this test process started.
  static void kill() {
    for (const auto& entry : fs::directory_iterator{"/proc"}) {
      std::ifstream file{entry.path() / "stat"};
      std::string pid, name, state, parent;
      if (!(file >> pid >> name >> state >> parent)) continue;
      if (name == "(sftp-server)" && parent == std::to_string(::getpid())) {
        ::kill(static_cast<pid_t>(std::stoi(pid)), SIGKILL);
      }
    }
  }
  static void restart() {}
  static std::vector<uint64_t> sizes() {
    return {0, 1, 32768, 32769, 65536, 65537, 261119, 261120, 261121, 64 * 261120, 64 * 261120 + 1};
  }

 private:
  tests::TempFolder folder_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sftp, RemoteStorage, SftpServer);

class Sftp : public ::testing::Test {
 protected:
  SftpServer server_;
  StorageBench bench_{"sftp", server_.config()};
};

TEST_F(Sftp, ExplainsAMissingPrefixAndProposesTheShorterOne) {
  // As an account that is confined to a folder sees it: what is "/home/me/<root>" outside.
  bench_.config()["pathPrefix"] = "/no-such-home/me" + server_.root().string();
  for (const Outcome& outcome : {bench_.test(), bench_.ping(), bench_.put("a.sql", "x")}) {
    EXPECT_EQ(outcome.status, DBACKUP_NOT_FOUND);
    EXPECT_NE(outcome.message.find("no \"/no-such-home\""), std::string::npos) << outcome.message;
    EXPECT_NE(outcome.message.find("the login begins in \"" + fs::current_path().string() + "\""),
              std::string::npos)
        << outcome.message;
    EXPECT_NE(outcome.message.find("try \"" + server_.root().string() + "\""), std::string::npos)
        << outcome.message;
  }
  EXPECT_FALSE(fs::exists("/no-such-home"));
}

TEST_F(Sftp, NamesAMissingPrefixThatCannotBeGuessed) {
  bench_.config()["pathPrefix"] = (server_.root() / "no/such").string();
  const Outcome outcome = bench_.put("a.sql", "x");
  EXPECT_EQ(outcome.status, DBACKUP_NOT_FOUND);
  EXPECT_NE(outcome.message.find("no \"" + (server_.root() / "no").string() + "\""),
            std::string::npos)
      << outcome.message;
  EXPECT_TRUE(fs::is_empty(server_.root()));
}

TEST_F(Sftp, NamesLinksAndDoesNotFollowThem) {
  fs::create_directories(server_.root() / "real");
  std::ofstream{server_.root() / "real/a.sql"} << "x";
  fs::create_directory_symlink("real", server_.root() / "link");
  FakeCall call;
  ItemList items;
  ASSERT_TRUE(bench_.list(call, "", items).ok());
  EXPECT_EQ(items.items().size(), 1U);
  ASSERT_EQ(call.log_lines().size(), 1U);
  EXPECT_NE(call.log_lines()[0].text.find("link\" is left out: it is a link"), std::string::npos);
}

TEST_F(Sftp, LetsNobodyElseReadWhatItStores) {
  ASSERT_TRUE(bench_.put("job/a.sql", "x").ok());
  EXPECT_EQ(fs::status(server_.root() / "job/a.sql").permissions() & fs::perms::others_all,
            fs::perms::none);
}

}  // namespace
}  // namespace dbackup::testing
