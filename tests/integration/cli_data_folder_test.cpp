#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_support.hpp"

// Opening a data folder: what is made, what is refused, and what the refusal says.
namespace dbackup::testing {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

class DataFolder : public ::testing::Test {
 protected:
  ProgramResult list(std::map<std::string, std::string> environment = {}) {
    return dbackup({"key", "list", "--data-dir", data()}, {.environment = std::move(environment)});
  }
  std::string data() const { return folder_ / "data"; }
  std::string inside(const std::string& name) const { return folder_ / ("data/private/" + name); }
  static mode_t mode_of(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  }

  TemporaryFolder folder_;
};

TEST_F(DataFolder, IsMadeWithKeyAndMetadataReadableByTheOwnerAlone) {
  ASSERT_EQ(list().exit_code, 0);
  EXPECT_EQ(mode_of(folder_ / "data/private"), 0700U);
  EXPECT_EQ(mode_of(inside("master.key")), 0600U);
  EXPECT_THAT(read_file(inside("master.key")), ::testing::MatchesRegex("[0-9a-f]{64}\n"));
  EXPECT_TRUE(std::filesystem::exists(inside("metadata.db")));
}

TEST_F(DataFolder, SaysWhyItCannotBeMade) {
  write_file(folder_ / "file", "");
  const auto result = dbackup({"key", "list", "--data-dir", folder_ / "file/data"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("file/data"));
  EXPECT_THAT(result.err, HasSubstr("DBACKUP_DATA_DIR"));
}

TEST_F(DataFolder, IsRefusedWhileOthersMayReadItsSecrets) {
  ASSERT_EQ(list().exit_code, 0);
  ASSERT_EQ(::chmod((folder_ / "data/private").c_str(), 0755), 0);
  const auto open_folder = list();
  EXPECT_EQ(open_folder.exit_code, 1);
  EXPECT_THAT(open_folder.err, HasSubstr("chmod 700"));

  ASSERT_EQ(::chmod((folder_ / "data/private").c_str(), 0700), 0);
  ASSERT_EQ(::chmod(inside("master.key").c_str(), 0640), 0);
  const auto open_key = list();
  EXPECT_EQ(open_key.exit_code, 1);
  EXPECT_THAT(open_key.err, HasSubstr("chmod 600"));
}

TEST_F(DataFolder, IsRefusedWithAnotherMasterKeyNamingTheOneItNeeds) {
  ASSERT_EQ(list().exit_code, 0);
  const std::string right = read_file(inside("master.key")).substr(0, 64);
  const std::string other = std::string(63, '0') + "1";

  const auto with_other = list({{"DBACKUP_ENCRYPTION_KEY", other}});
  EXPECT_EQ(with_other.exit_code, 1);
  std::filesystem::remove(inside("master.key"));
  const auto without = list();
  EXPECT_EQ(without.exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(inside("master.key"))) << "a new key could open nothing of what is stored";

  // Both refusals name the same id, which is not the key.
  const std::string wanted = without.err.substr(without.err.rfind(' ') + 1, without.err.size() - without.err.rfind(' ') - 2);
  EXPECT_GE(wanted.size(), 8U) << without.err;
  EXPECT_THAT(with_other.err, HasSubstr(wanted));
  EXPECT_THAT(without.err + with_other.err, Not(AnyOf(HasSubstr(right), HasSubstr(other))));

  EXPECT_EQ(list({{"DBACKUP_ENCRYPTION_KEY", right}}).exit_code, 0);
}

TEST_F(DataFolder, TakesItsKeyFromAFileOfItsOwnerAlone) {
  const std::string file = folder_ / "key";
  write_file(file, std::string(64, 'b') + "\n");
  ::chmod(file.c_str(), 0644);
  const auto open_to_others = list({{"DBACKUP_ENCRYPTION_KEY_FILE", file}});
  EXPECT_EQ(open_to_others.exit_code, 1);
  EXPECT_THAT(open_to_others.err, HasSubstr("chmod 600"));

  ::chmod(file.c_str(), 0600);
  EXPECT_EQ(list({{"DBACKUP_ENCRYPTION_KEY_FILE", file}}).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(inside("master.key")));
  EXPECT_EQ(list().exit_code, 1) << "the folder belongs to the key of the file";
}

TEST_F(DataFolder, RefusesAMasterKeyThatIsNone) {
  const auto result = list({{"DBACKUP_ENCRYPTION_KEY", "short"}});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("64 hexadecimal digits"));
  EXPECT_THAT(result.err, Not(HasSubstr("short")));
}

TEST_F(DataFolder, IsServedByOneServerAtATime) {
  ASSERT_EQ(list().exit_code, 0);
  const int lock = ::open(inside("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(lock, 0);
  ASSERT_EQ(::flock(lock, LOCK_EX | LOCK_NB), 0);
  const auto second = dbackup({"serve", "--data-dir", data()}, {.environment = {{"DBACKUP_SERVER_PORT", "0"}}});
  EXPECT_EQ(second.exit_code, 3);
  EXPECT_THAT(second.err, HasSubstr(data()));
  EXPECT_EQ(list().exit_code, 0) << "keys can be managed beside a running server";
  ::close(lock);
}

}  // namespace
}  // namespace dbackup::testing
