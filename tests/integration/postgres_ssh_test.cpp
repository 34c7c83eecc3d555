#include "tests/integration/ssh_source_base.hpp"
#include "tests/support/postgres_server.hpp"

namespace dbackup::test {
namespace {

using dbackup::testing::PostgresServer;
using host::ErrorCode;
using host::Json;
using ::testing::HasSubstr;

class PostgresOverSsh : public SshSource {
 protected:
  static void SetUpTestSuite() {
    SshSource::SetUpTestSuite();
    server_ = new PostgresServer;
    server_->sql("postgres", "CREATE DATABASE shop");
    server_->sql("shop",
                 "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, "
                 "repeat(md5(i::text), 40) FROM generate_series(1, 20000) i");
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
    SshSource::TearDownTestSuite();
  }
  host::protocol::AdapterRef source(const std::string& host) const {
    return ref("postgres", {{"connectionMode", "ssh"},
                            {"sshHost", ssh_->host()},
                            {"sshPort", ssh_->port()},
                            {"sshUsername", ssh_->user()},
                            {"sshAuthType", "privateKey"},
                            {"sshPrivateKey", ssh_->key()},
                            {"host", host},
                            {"port", server_->port()},
                            {"user", server_->user()},
                            {"password", server_->password()},
                            {"database", "shop"}});
  }
  host::protocol::AdapterRef source() const { return source(server_->host()); }

  inline static PostgresServer* server_ = nullptr;
};

TEST_F(PostgresOverSsh, RestoresWhatItDumped) {
  auto there = open(source());
  EXPECT_THAT(host::get_string(there->test(), "version").value_or(""), ::testing::Not(""));
  StringSink out;
  there->dump({.database = "shop"}, out);
  host::TextSource in{out.text};
  there->prepare_restore({"copy"}, {});
  there->restore({.database = "copy", .original_name = "shop", .token = "token-1"}, in);
  EXPECT_EQ(server_->fingerprint("copy"), server_->fingerprint("shop"));
}

TEST_F(PostgresOverSsh, DialsASocketOfTheOtherMachine) {
  auto there = open(source(server_->socket_folder()));
  std::vector<std::string> names;
  there->list_databases(
      [&](const Json& item) { names.push_back(item.at("name").get<std::string>()); });
  EXPECT_THAT(names, ::testing::Contains("shop"));
}

TEST_F(PostgresOverSsh, SaysThatTheServerBehindCannotBeReached) {
  auto nowhere = source();
  nowhere.config["port"] = dbackup::testing::free_port();
  const auto refused = failure([&] { open(nowhere)->test(); });
  EXPECT_THAT(refused.what(), HasSubstr("refuses: cannot connect to"));
}

TEST_F(PostgresOverSsh, TellsAnSshServerThatForwardsNothingFromAClosedPort) {
  const dbackup::testing::SshServer strict{{.lines = {"AllowTcpForwarding no"}}};
  auto by_it = source();
  by_it.config["sshPort"] = strict.port();
  by_it.config["sshPrivateKey"] = strict.key();
  by_it.ssh.known = {{.type = "", .fingerprint = strict.fingerprint()}};
  const auto refused = failure([&] { open(by_it)->test(); });
  EXPECT_THAT(refused.what(), HasSubstr("does not let connections be forwarded"));
}

TEST_F(PostgresOverSsh, FailsWhenTheConnectionIsCutInTheMiddleOfADump) {
  StringSink out;
  bool cut = false;
  out.on_write = [&](size_t) {
    if (!std::exchange(cut, true)) ssh_->kill_connections();
  };
  const auto lost = failure([&] {
    open(source())->dump({.database = "shop", .options = {{"pgCompression", "NONE"}}}, out);
  });
  EXPECT_TRUE(cut);
  EXPECT_THAT(lost.what(), HasSubstr("was lost"));
}

TEST_F(PostgresOverSsh, LeavesNoDatabaseWhenTheConnectionIsCutInTheMiddleOfARestore) {
  StringSink out;
  open(source())->dump({.database = "shop"}, out);
  HalfwaySource in{out.text, [] { ssh_->kill_connections(); }};
  const auto lost = failure([&] {
    open(source())->restore({.database = "lost", .original_name = "shop", .token = "token-2"}, in);
  });
  EXPECT_THAT(lost.what(), HasSubstr("was lost"));
  open(source())->cleanup_restore("lost", "token-2", {});
  EXPECT_EQ(
      server_->sql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE '%lost%'"),
      "0");
}

}  // namespace
}  // namespace dbackup::test
