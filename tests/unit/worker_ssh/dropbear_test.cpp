#include <filesystem>

#include "tests/support/child_server.hpp"
#include "tests/support/worker/test_files.hpp"
#include "tests/unit/worker_ssh/ssh_fixture.hpp"

namespace dbackup::test {
namespace {

namespace fs = std::filesystem;

/// A Dropbear on a free loopback port. Unlike OpenSSH's server it gives a command no process group.
class Dropbear {
 public:
  Dropbear() {
    fs::permissions(folder_.path(), fs::perms::all);  // for the account that logs in
    const std::string key = (server_.folder() / "host_key").string();
    server_.run({"/usr/bin/dropbearkey", "-t", "ed25519", "-f", key});
    for (int attempt = 0; attempt < 5; ++attempt) {
      port_ = testing::free_port();
      if (server_.start_listening(
              {"/usr/bin/env", "TMPDIR=" + folder_.path(), "/usr/sbin/dropbear", "-F", "-E", "-e",
               "-r", key, "-P", (server_.folder() / "pid").string(), "-p",
               "127.0.0.1:" + std::to_string(port_)},
              port_)) {
        return;
      }
    }
    throw std::runtime_error{"dropbear does not start: " + server_.log_tail()};
  }
  int port() const noexcept { return port_; }
  /// TMPDIR of its logins.
  std::string temporary_folder() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
  testing::ChildServer server_{"dropbear"};
  int port_ = 0;
};

TEST(SshExecOnDropbear, EndsProgramsAndNotTheConnectionTheyRunOn) {
  if (!testing::PasswordAccount::possible()) GTEST_SKIP() << "only root can make an account";
  const testing::PasswordAccount account;
  const Dropbear server;
  {
    SshCall there{{.host = "127.0.0.1",
                   .port = server.port(),
                   .user = account.name(),
                   .method = host::ssh::Login::Method::Password,
                   .password = host::SecretString{account.password()},
                   .trust = {.policy = "accept-any", .known = {}}}};
    const SideFile file = there.exec().side_file("secret");
    for (const bool fed : {false, true}) {
      { const Process released = there.exec().start({"sleep", "600"}, {.input = fed}); }
      EXPECT_EQ(there.output_of({"cat", file.path()}), "secret") << fed;
    }
    Process cat = there.exec().start({"cat"}, {.input = true, .output = Output::Collect});
    EXPECT_TRUE(cat.write(std::as_bytes(std::span{"one two", 7})));
    cat.close_input();
    EXPECT_EQ(cat.wait().output, "one two");
  }
  EXPECT_TRUE(fs::is_empty(server.temporary_folder()));
}

}  // namespace
}  // namespace dbackup::test
