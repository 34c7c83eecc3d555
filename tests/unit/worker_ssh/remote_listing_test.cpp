#include <fcntl.h>

#include <filesystem>
#include <fstream>

#include "base/unique_fd.hpp"
#include "tests/support/worker/test_files.hpp"
#include "tests/unit/worker_ssh/ssh_fixture.hpp"
#include "worker/operations/operations.hpp"

namespace dbackup::test {
namespace {

using host::Json;
using ::testing::HasSubstr;

/// The folder of another machine that is looked at before there is an adapter.
class RemoteListing : public ::testing::Test {
 protected:
  /// The events of a listing; throws what it fails with.
  std::string listed(const testing::SshServer& server, const std::string& path) const {
    const std::string written = folder_ / "events";
    {
      const host::UniqueFd fd{
          ::open(written.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
      host::EventWriter events{fd.get(), [] {}};
      host::OperationContext context{
          .events = events, .cancel = {}, .bulk_fd = -1, .await_proceed = {}};
      host::list_remote({.prefix = "",
                         .config = {{"host", server.host()},
                                    {"port", server.port()},
                                    {"username", server.user()},
                                    {"authType", "privateKey"},
                                    {"privateKey", server.key()}},
                         .ssh = {.policy = "accept-any", .known = {}},
                         .path = path},
                        context);
    }
    std::ifstream file{written};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

  TemporaryFolder folder_;
};

TEST_F(RemoteListing, ShowsFilesAndFoldersAndNothingOfAnEmptyOne) {
  const testing::SshServer server;
  std::filesystem::create_directories(folder_ / "shown/a folder");
  std::ofstream{folder_ / "shown/it's\na file"} << "12345";
  const std::string events = listed(server, folder_ / "shown");
  EXPECT_THAT(events, HasSubstr(R"("name":"it's\na file")"));
  EXPECT_THAT(events, HasSubstr(R"("size":5)"));
  EXPECT_THAT(events, HasSubstr(R"("name":"a folder")"));
  EXPECT_EQ(listed(server, folder_ / "shown/a folder"), "");
}

TEST_F(RemoteListing, FailsWhereNothingCanBeListed) {
  std::filesystem::create_directories(folder_ / "tools");
  std::ofstream{folder_ / "tools/find"} << "#!/bin/sh\necho 'find: bad -printf' >&2; exit 1\n";
  std::filesystem::permissions(folder_ / "tools/find", std::filesystem::perms{0755});
  const testing::SshServer server{
      {.lines = {"SetEnv PATH=" + (folder_ / "tools") + ":/usr/bin:/bin HOME=" + folder_.path() +
                 " TMPDIR=" + folder_.path()}}};
  try {
    listed(server, folder_.path());
    ADD_FAILURE() << "a listing of nothing";
  } catch (const host::Error& error) {
    EXPECT_EQ(error.code(), host::ErrorCode::FailedPrecondition);
    EXPECT_THAT(error.what(), HasSubstr("find: bad -printf"));
  }
}

TEST_F(RemoteListing, TellsWhatIsNotThereFromWhatIsNoFolder) {
  const testing::SshServer server;
  std::ofstream{folder_ / "file"} << "x";
  const auto code = [&](const std::string& path) {
    try {
      listed(server, path);
      return host::ErrorCode::Internal;
    } catch (const host::Error& error) {
      return error.code();
    }
  };
  EXPECT_EQ(code("/no/such/folder"), host::ErrorCode::NotFound);
  EXPECT_EQ(code(folder_ / "file"), host::ErrorCode::InvalidArgument);
}

TEST_F(RemoteListing, SaysThatItShowsAPart) {
  const testing::SshServer server;
  std::filesystem::create_directories(folder_ / "full");
  for (int i = 0; i < 4000; ++i) {
    std::ofstream{folder_ / "full/" + std::to_string(i) + std::string(250, 'x')};
  }
  const std::string events = listed(server, folder_ / "full");
  EXPECT_THAT(events, HasSubstr("only a part is"));
}

}  // namespace
}  // namespace dbackup::test
