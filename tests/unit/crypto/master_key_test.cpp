#include "crypto/master_key.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>
#include <vector>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace dbackup::host {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class MasterKeyFile : public testing::Test {
 protected:
  MasterKeyFile() {
    std::string name = (fs::temp_directory_path() / "dbackup-key-XXXXXX").string();
    data_ = ::mkdtemp(name.data());
  }
  ~MasterKeyFile() override { fs::remove_all(data_); }

  MasterKey load(bool may_generate = false) const {
    return load_master_key({.explicit_value = {}, .data_dir = data_, .may_generate = may_generate});
  }
  Error error(bool may_generate = false) const {
    try {
      load(may_generate);
    } catch (const Error& caught) {
      return caught;
    }
    return Error{ErrorCode::Internal, "a key was loaded"};
  }
  void write_key(std::string_view text, mode_t mode = 0600) const {
    ensure_private_folder(data_);
    std::ofstream{master_key_path(data_)} << text;
    ::chmod(master_key_path(data_).c_str(), mode);
  }
  static mode_t mode_of(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
  }

  fs::path data_;
  const std::string hex_ = std::string(62, 'a') + "0F";
};

TEST_F(MasterKeyFile, IsMadeOnceWithModesForItsOwnerAlone) {
  const MasterKey made = load(/*may_generate=*/true);
  EXPECT_EQ(made.origin, MasterKey::Origin::Generated);
  EXPECT_EQ(made.bytes.reveal().size(), 32U);
  EXPECT_EQ(made.id.size(), 16U);
  EXPECT_EQ(mode_of(private_folder(data_)), 0700U);
  EXPECT_EQ(mode_of(master_key_path(data_)), 0600U);
  for (const bool may_generate : {false, true}) {
    const MasterKey again = load(may_generate);
    EXPECT_EQ(again.origin, MasterKey::Origin::File);
    EXPECT_EQ(again.bytes.reveal(), made.bytes.reveal());
    EXPECT_EQ(again.id, made.id);
  }
  const auto files = fs::directory_iterator{private_folder(data_)};
  EXPECT_EQ(std::distance(begin(files), end(files)), 1) << "a temporary file was left";
}

TEST_F(MasterKeyFile, IsNotMadeUnlessTheCallerAllowsIt) {
  const auto missing = error();
  EXPECT_EQ(missing.code(), ErrorCode::FailedPrecondition);
  EXPECT_EQ(missing.reason(), "master_key_missing");
  EXPECT_THAT(missing.what(), HasSubstr("hint: set DBACKUP_ENCRYPTION_KEY"));
  EXPECT_FALSE(fs::exists(private_folder(data_)));
}

TEST_F(MasterKeyFile, IsReadInEitherCaseWithOrWithoutALineEnd) {
  for (const std::string end : {"", "\n", "\r\n"}) {
    write_key(hex_ + end);
    EXPECT_EQ(to_hex(load().bytes.reveal()), std::string(62, 'a') + "0f");
  }
}

TEST_F(MasterKeyFile, IsRefusedWhenItIsNoKeyAndNeverReplaced) {
  for (const std::string& text : {std::string{}, hex_.substr(1), hex_ + "0", hex_ + "00",
                                  std::string(64, 'g'), " " + hex_, std::string(300, 'a')}) {
    write_key(text);
    const auto caught = error(/*may_generate=*/true);
    EXPECT_EQ(caught.code(), ErrorCode::InvalidArgument) << text;
    if (text.size() > 8) {
      EXPECT_THAT(caught.what(), testing::Not(HasSubstr(text.substr(0, 8))));
    }
  }
}

TEST_F(MasterKeyFile, IsRefusedWhenOthersMayReadIt) {
  for (const mode_t mode : {0640U, 0604U, 0660U, 0601U}) {
    write_key(hex_, mode);
    const auto caught = error();
    EXPECT_EQ(caught.code(), ErrorCode::PermissionDenied) << std::oct << mode;
    EXPECT_THAT(caught.what(), HasSubstr("hint: chmod 600"));
  }
  write_key(hex_, 0400);
  EXPECT_EQ(load().origin, MasterKey::Origin::File);
}

TEST_F(MasterKeyFile, IsRefusedInAFolderOpenToOthers) {
  write_key(hex_);
  ::chmod(private_folder(data_).c_str(), 0750);
  EXPECT_EQ(error().code(), ErrorCode::PermissionDenied);
  EXPECT_THAT(error(/*may_generate=*/true).what(), HasSubstr("hint: chmod 700"));
  EXPECT_THROW(ensure_private_folder(data_), Error);
}

TEST_F(MasterKeyFile, IsRefusedWhenItIsALinkAFolderOrAPipe) {
  write_key(hex_);
  const auto path = master_key_path(data_);
  fs::rename(path, data_ / "elsewhere");
  fs::create_symlink(data_ / "elsewhere", path);
  EXPECT_EQ(error(/*may_generate=*/true).code(), ErrorCode::PermissionDenied);
  fs::remove(path);
  fs::create_directory(path);
  EXPECT_EQ(error().code(), ErrorCode::PermissionDenied);
  fs::remove(path);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(error().code(), ErrorCode::PermissionDenied);
}

TEST_F(MasterKeyFile, IsRefusedInALinkedFolder) {
  fs::create_directory(data_ / "real");
  ::chmod((data_ / "real").c_str(), 0700);
  fs::create_directory_symlink(data_ / "real", private_folder(data_));
  EXPECT_EQ(error(/*may_generate=*/true).code(), ErrorCode::PermissionDenied);
}

TEST_F(MasterKeyFile, IsRefusedWhenItBelongsToAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  write_key(hex_);
  ASSERT_EQ(::chown(master_key_path(data_).c_str(), 65534, 65534), 0);
  EXPECT_EQ(error().code(), ErrorCode::PermissionDenied);
  ASSERT_EQ(::chown(private_folder(data_).c_str(), 65534, 65534), 0);
  EXPECT_EQ(error().code(), ErrorCode::PermissionDenied);
}

TEST_F(MasterKeyFile, IsTheSameForAllWhenSeveralStartAtOnce) {
  std::vector<std::string> keys(8);
  std::vector<std::thread> threads;
  for (auto& key : keys) {
    threads.emplace_back([&] { key = load(/*may_generate=*/true).bytes.reveal(); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(keys, std::vector<std::string>(8, std::string{load().bytes.reveal()}));
}

TEST_F(MasterKeyFile, NamesAMissingDataFolder) {
  fs::remove_all(data_);
  EXPECT_EQ(error(/*may_generate=*/true).code(), ErrorCode::NotFound);
}

TEST_F(MasterKeyFile, GivesWayToAnExplicitValue) {
  load(/*may_generate=*/true);
  const MasterKey given = load_master_key(
      {.explicit_value = SecretString{hex_}, .data_dir = data_, .may_generate = true});
  EXPECT_EQ(given.origin, MasterKey::Origin::Explicit);
  EXPECT_EQ(to_hex(given.bytes.reveal()), std::string(62, 'a') + "0f");
  try {
    load_master_key(
        {.explicit_value = SecretString{"aabbccdd"}, .data_dir = data_, .may_generate = true});
    FAIL() << "a short value was taken";
  } catch (const Error& caught) {
    EXPECT_EQ(caught.code(), ErrorCode::InvalidArgument);
    EXPECT_THAT(caught.what(), testing::Not(HasSubstr("aabb")));
  }
}

}  // namespace
}  // namespace dbackup::host
