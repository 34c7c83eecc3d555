#include <fstream>
#include <iterator>

#include "tests/unit/worker_ssh/ssh_fixture.hpp"
#include "worker/ssh/ssh_connect.hpp"

namespace dbackup::test {
namespace {

using host::ssh::Login;
using ::testing::HasSubstr;

std::string read_all(const std::string& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// The code with which a connection fails, and its words.
std::pair<host::ErrorCode, std::string> failure(const Login& login) {
  try {
    host::ssh::connect(login, host::CancelToken{});
    return {host::ErrorCode::Internal, "connected"};
  } catch (const host::Error& error) {
    return {error.code(), error.what()};
  }
}

TEST(SshLogin, ReadsKeysOfEveryFormat) {
  testing::SshServer server;
  const std::string rsa = server.new_key({"-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""});
  const std::string sealed = server.new_key({"-t", "ed25519", "-N", "open sesame"});
  const std::string ecdsa = server.new_key({"-t", "ecdsa", "-m", "PKCS8", "-N", ""});
  const std::string pkcs8 =
      server.new_key({"-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "open sesame"});
  EXPECT_THAT(read_all(rsa), HasSubstr("BEGIN RSA PRIVATE KEY"));
  EXPECT_THAT(read_all(pkcs8), HasSubstr("BEGIN ENCRYPTED PRIVATE KEY"));
  for (const std::string& file : {rsa, ecdsa, sealed, pkcs8}) {
    Login login = key_login(server);
    login.private_key = host::SecretString{read_all(file)};
    if (file == sealed || file == pkcs8) login.passphrase = host::SecretString{"open sesame"};
    EXPECT_EQ(SshCall{login}.output_of({"echo", "in"}), "in\n") << file;
    if (file != sealed && file != pkcs8) continue;
    for (const char* wrong : {"", "close sesame"}) {
      login.passphrase = host::SecretString{wrong};
      const auto [code, words] = failure(login);
      EXPECT_EQ(code, host::ErrorCode::InvalidArgument) << file;
      EXPECT_THAT(words, HasSubstr("passphrase"));
    }
  }
}

TEST(SshLogin, SaysWhatKeepsItOut) {
  testing::SshServer server;
  Login stranger = key_login(server);
  stranger.user = "nobody-of-this-name";
  EXPECT_EQ(failure(stranger).first, host::ErrorCode::Unauthenticated);
  EXPECT_THAT(failure(stranger).second, HasSubstr("nobody-of-this-name"));
  Login broken = key_login(server);
  broken.private_key = host::SecretString{"no key"};
  EXPECT_EQ(failure(broken).first, host::ErrorCode::InvalidArgument);
  Login nowhere = key_login(server);
  nowhere.port = testing::free_port();
  EXPECT_EQ(failure(nowhere).first, host::ErrorCode::Unavailable);
  EXPECT_THAT(failure(nowhere).second, HasSubstr("refused"));
}

TEST(SshLogin, UsesTheAgent) {
  testing::SshServer server;
  Login login = key_login(server);
  login.method = Login::Method::Agent;
  login.private_key = {};
  EXPECT_EQ(failure(login).first, host::ErrorCode::FailedPrecondition);
  const testing::SshAgent agent{server.key_file()};
  EXPECT_EQ(SshCall{login}.output_of({"echo", "in"}), "in\n");
}

TEST(SshLogin, UsesAPassword) {
  if (!testing::PasswordAccount::possible()) GTEST_SKIP() << "only root can make an account";
  const testing::PasswordAccount account;
  testing::SshServer server{{.lines = {"PasswordAuthentication yes"}}};
  Login login = key_login(server);
  login.user = account.name();
  login.method = Login::Method::Password;
  login.password = host::SecretString{account.password()};
  EXPECT_EQ(SshCall{login}.output_of({"id", "-un"}), account.name() + "\n");
  login.password = host::SecretString{"wrong"};
  EXPECT_EQ(failure(login).first, host::ErrorCode::Unauthenticated);
}

TEST(SshHostKeys, AreAcceptedOnFirstUseAndComparedEverAfter) {
  testing::SshServer server;
  Login login = key_login(server);
  login.trust.policy = "trust-first";
  SshCall first{login};
  EXPECT_EQ(first.output_of({"echo", "in"}), "in\n");
  ASSERT_EQ(first.accepted.size(), 1U);
  EXPECT_EQ(first.accepted.front().fingerprint, server.fingerprint());
  EXPECT_EQ(first.accepted.front().type, "ssh-ed25519");

  login.trust.known = first.accepted;
  SshCall second{login};
  EXPECT_EQ(second.output_of({"echo", "in"}), "in\n");
  EXPECT_TRUE(second.accepted.empty());

  const std::string before = server.fingerprint();
  server.change_host_keys();
  for (const char* policy : {"trust-first", "strict"}) {
    login.trust.policy = policy;
    login.port = server.port();
    const auto [code, words] = failure(login);
    EXPECT_EQ(code, host::ErrorCode::FailedPrecondition);
    EXPECT_THAT(words, HasSubstr(before));
    EXPECT_THAT(words, HasSubstr(server.fingerprint()));
    EXPECT_THAT(words, HasSubstr(login.server()));
  }
  login.trust.policy = "accept-any";
  EXPECT_EQ(failure(login).second, "connected");
}

TEST(SshHostKeys, AcceptedOnFirstUseBindEveryConnectionOfTheSameProcess) {
  testing::SshServer server;
  Login login = key_login(server);
  login.trust.policy = "trust-first";
  SshCall first{login};
  EXPECT_EQ(first.output_of({"echo", "in"}), "in\n");
  const std::string before = server.fingerprint();
  server.change_host_keys();
  ASSERT_EQ(server.port(), login.port);
  const auto [code, words] = failure(login);  // which knows as little as the first one
  EXPECT_EQ(code, host::ErrorCode::FailedPrecondition);
  EXPECT_THAT(words, HasSubstr(before));
  EXPECT_THAT(words, HasSubstr(server.fingerprint()));
}

TEST(SshHostKeys, AreRefusedByStrictUntilOneIsKnown) {
  testing::SshServer server;
  Login login = key_login(server);
  login.trust.policy = "strict";
  const auto [code, words] = failure(login);
  EXPECT_EQ(code, host::ErrorCode::FailedPrecondition);
  EXPECT_THAT(words, HasSubstr(server.fingerprint()));
  login.trust.known = {{.type = "", .fingerprint = server.fingerprint()}};
  EXPECT_EQ(failure(login).second, "connected");
}

TEST(SshHostKeys, PinnedAtTheAdapterBeatThePolicyWhateverTheirType) {
  testing::SshServer server{{.host_key_types = {"ed25519", "ecdsa", "rsa"}}};
  Login login = key_login(server);
  login.trust = {.policy = "strict",
                 .known = {{.type = "ssh-ed25519", .fingerprint = "SHA256:other"}}};
  for (const char* type : {"ed25519", "ecdsa", "rsa"}) {
    login.pinned = server.fingerprint(type);
    EXPECT_EQ(failure(login).second, "connected") << type;
  }
  login.trust.policy = "accept-any";
  login.pinned = "SHA256:somebodyelse";
  EXPECT_EQ(failure(login).first, host::ErrorCode::FailedPrecondition);
}

}  // namespace
}  // namespace dbackup::test
