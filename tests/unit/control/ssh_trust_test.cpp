#include "control/ssh_trust.hpp"

#include <gmock/gmock.h>

#include "store/ssh_host_key_store.hpp"
#include "tests/unit/control/control_world.hpp"

namespace dbackup::host {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(SshTrust, WarnsOfASecondKeyOfTheSameServerAndKeepsTheFirst) {
  ScriptedWorker worker;
  ControlWorld world{worker};
  const auto see = [&](const std::string& fingerprint) {
    ::testing::internal::CaptureStderr();
    keep_host_key(
        world.context,
        {{"host", "DB1"}, {"port", 2222}, {"type", "ssh-ed25519"}, {"fingerprint", fingerprint}});
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(see("SHA256:one"), "");
  EXPECT_EQ(see("SHA256:one"), "");
  EXPECT_THAT(see("SHA256:two"), AllOf(HasSubstr("security"), HasSubstr("db1:2222"),
                                       HasSubstr("SHA256:one"), HasSubstr("SHA256:two")));
  std::optional<KnownHostKey> kept;
  world.database->read(
      [&](Session& session) { kept = SshHostKeyStore{}.find(session, "db1", 2222); });
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->fingerprint, "SHA256:one");
}

}  // namespace
}  // namespace dbackup::host
