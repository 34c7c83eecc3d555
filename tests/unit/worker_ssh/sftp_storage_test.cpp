#include <unistd.h>

#include <dbackup/testing/fakes.hpp>
#include <dbackup/testing/plugin_file.hpp>
#include <filesystem>

#include "tests/support/paths.hpp"
#include "tests/support/storage_bench.hpp"
#include "tests/unit/worker_ssh/ssh_fixture.hpp"

namespace dbackup::test {
namespace {

namespace fs = std::filesystem;
using testing::ComparingWriter;
using testing::GeneratedReader;
using ::testing::HasSubstr;
using testing::ItemList;

/// The plugin for SFTP over the host's own SSH connection, against a real sshd.
class SftpStorage {
 public:
  SftpStorage(const testing::SshServer& server, const std::string& prefix)
      : server_{server},
        config_{{"host", server.host()},
                {"port", server.port()},
                {"username", server.user()},
                {"pathPrefix", prefix}} {}

  /// Runs one operation over a connection of its own. Throws what it failed with.
  template <class Function, class... Stream>
  host::Json run(Function dbackup_storage::*function, const host::Json& request,
                 Stream&... stream) const {
    SshCall there{key_login(server_)};
    const auto& table = *testing::table_of<dbackup_storage>(file_.adapter(), DBACKUP_EXT_STORAGE);
    const std::string config = to_text(config_);
    void* self = nullptr;
    if (const auto status = table.open(borrow(config), there.call.raw(), &self);
        status != DBACKUP_OK) {
      return there.context().finish(status);
    }
    const std::string text = to_text(request);
    const auto status = (table.*function)(self, there.call.raw(), borrow(text), stream.raw()...);
    table.close(self);
    return there.context().finish(status);
  }

 private:
  const testing::SshServer& server_;
  host::Json config_;
  testing::PluginFile file_{binary_dir() + "/lib/dbackup/plugins/sftp.so"};
};

/// Below /run, whose parents belong to root alone: sshd confines nobody to another place.
class RootFolder {
 public:
  RootFolder() {
    std::string pattern = "/run/dbackup-test-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) return;
    path_ = pattern;
    fs::permissions(path_, fs::perms{0755});
    fs::create_directories(path_ / "data");
  }
  ~RootFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  RootFolder(const RootFolder&) = delete;
  RootFolder& operator=(const RootFolder&) = delete;
  const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

std::string failure_of(const std::function<void()>& body, host::ErrorCode code) {
  try {
    body();
  } catch (const host::Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "it succeeded";
  return "";
}

TEST(SftpOverSsh, StoresListsReadsAndRemoves) {
  const testing::SshServer server;
  const SftpStorage storage{server, server.folder() / "data"};
  fs::create_directories(server.folder() / "data");
  EXPECT_EQ(storage.run(&dbackup_storage::test, {}).at("message"),
            "Connection successful (Write/Delete verified)");
  constexpr uint64_t kSize = 20'000'001;
  GeneratedReader in{kSize};
  EXPECT_EQ(storage.run(&dbackup_storage::put, {{"path", "Größe #1/a b.sql"}, {"token", "t"}}, in)
                .at("size"),
            kSize);
  ComparingWriter out{kSize / 2};
  storage.run(&dbackup_storage::get, {{"path", "Größe #1/a b.sql"}, {"offset", kSize / 2}}, out);
  EXPECT_TRUE(out.equal() && out.size() == kSize - kSize / 2);
  ItemList items;
  storage.run(&dbackup_storage::list, {{"prefix", ""}}, items);
  ASSERT_EQ(items.items().size(), 1U);
  EXPECT_EQ(items.items()[0].at("path"), "Größe #1/a b.sql");
  EXPECT_EQ(storage.run(&dbackup_storage::remove, {{"path", "Größe #1/a b.sql"}}).at("removed"),
            true);
}

TEST(SftpOverSsh, ProposesTheShorterPathOfAConfinedAccount) {
  const RootFolder root;
  if (::geteuid() != 0 || root.path().empty()) GTEST_SKIP() << "only root can confine an account";
  const testing::SshServer server{
      {.lines = {"ChrootDirectory " + root.path().string(), "ForceCommand internal-sftp"}}};
  const SftpStorage outside{server, root.path() / "data"};
  GeneratedReader refused{10};
  const std::string why = failure_of(
      [&] {
        outside.run(&dbackup_storage::put, {{"path", "a"}, {"token", "t"}}, refused);
      },
      host::ErrorCode::NotFound);
  EXPECT_THAT(why, HasSubstr("try \"/data\" as \"pathPrefix\""));
  EXPECT_TRUE(fs::is_empty(root.path() / "data"));
  const SftpStorage inside{server, "/data"};
  GeneratedReader in{10};
  inside.run(&dbackup_storage::put, {{"path", "a"}, {"token", "t"}}, in);
  EXPECT_TRUE(fs::exists(root.path() / "data/a"));
}

TEST(SftpOverSsh, ShowsNothingOfAPutWhoseConnectionBroke) {
  testing::SshServer server;
  fs::create_directories(server.folder() / "data");
  const SftpStorage storage{server, server.folder() / "data"};
  GeneratedReader in{200'000'000};
  bool killed = false;
  in.before_read([&](uint64_t given) {
    if (given > 8'000'000 && !std::exchange(killed, true)) server.kill_connections();
  });
  failure_of(
      [&] {
        storage.run(&dbackup_storage::put, {{"path", "a"}, {"token", "t-1"}}, in);
      },
      host::ErrorCode::Unavailable);
  ItemList items;
  storage.run(&dbackup_storage::list, {{"prefix", ""}}, items);
  EXPECT_TRUE(items.items().empty());
  storage.run(&dbackup_storage::cleanup, {{"token", "t-1"}});
  EXPECT_TRUE(fs::is_empty(server.folder() / "data/.dbackup/tmp"));
}

}  // namespace
}  // namespace dbackup::test
