#include "crypto/secret_box.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

using testing::HasSubstr;

SecretString key_of(char fill) { return SecretString{std::string(32, fill)}; }

Error error_of(const SecretBox& box, std::string_view sealed, std::string_view context) {
  try {
    box.open(sealed, context);
  } catch (const Error& error) {
    return error;
  }
  return Error{ErrorCode::Internal, "it was opened"};
}

TEST(SecretBox, OpensWhatItSealed) {
  const SecretBox box{key_of('k')};
  for (const std::string& plain : {std::string{}, std::string{"{\"password\":\"hunter2\"}"},
                                   std::string("\0\xff\n", 3), std::string(100000, 'x')}) {
    EXPECT_EQ(box.open(box.seal(plain, "adapter_configs/1"), "adapter_configs/1").reveal(), plain);
  }
}

TEST(SecretBox, WritesAVersionedTextWithoutThePlaintext) {
  const SecretBox box{key_of('k')};
  const std::string sealed = box.seal("hunter2", "c");
  EXPECT_TRUE(sealed.starts_with("v1:" + box.key_id() + ":"));
  EXPECT_THAT(sealed, testing::Not(HasSubstr("hunter2")));
  EXPECT_NE(sealed, box.seal("hunter2", "c"));
  EXPECT_EQ(SecretBox::key_id_of(sealed), box.key_id());
}

TEST(SecretBox, RefusesATextMovedToAnotherRow) {
  const SecretBox box{key_of('k')};
  const auto error = error_of(box, box.seal("hunter2", "adapter_configs/1"), "adapter_configs/2");
  EXPECT_EQ(error.code(), ErrorCode::DataLoss);
  EXPECT_THAT(error.what(), HasSubstr("adapter_configs/2"));
}

TEST(SecretBox, NamesTheExpectedKeyWhenAnotherOneSealed) {
  const SecretBox other{key_of('o')};
  const SecretBox box{key_of('k')};
  const auto error = error_of(box, other.seal("hunter2", "c"), "c");
  EXPECT_EQ(error.code(), ErrorCode::FailedPrecondition);
  EXPECT_EQ(error.reason(), "master_key_mismatch");
  EXPECT_THAT(error.what(), HasSubstr(other.key_id()));
  EXPECT_THAT(error.what(), HasSubstr(box.key_id()));
}

TEST(SecretBox, NoticesEveryChangedCharacterAndEveryCut) {
  const SecretBox box{key_of('k')};
  const std::string sealed = box.seal("hunter2", "c");
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const auto code = error_of(box, changed, "c").code();
    EXPECT_EQ(code, ErrorCode::DataLoss) << "character " << i;
    EXPECT_EQ(error_of(box, sealed.substr(0, i), "c").code(), ErrorCode::DataLoss)
        << "cut at " << i;
  }
  EXPECT_EQ(error_of(box, sealed + "A", "c").code(), ErrorCode::DataLoss);
}

TEST(SecretBox, NeedsAMasterKeyOfThirtyTwoBytes) {
  EXPECT_THROW(SecretBox{SecretString{"short"}}, Error);
  EXPECT_THROW(SecretBox{SecretString{}}, Error);
}

TEST(MasterKeyId, IsShortStableAndTellsKeysApart) {
  // Stored in every installation: it may never change.
  EXPECT_EQ(master_key_id(key_of('k')), "80d6910e43b83879");
  EXPECT_EQ(master_key_id(key_of('k')).size(), 16U);
  EXPECT_NE(master_key_id(key_of('k')), master_key_id(key_of('o')));
}

TEST(SecretBox, OpensATextOfTheFirstRelease) {
  const SecretBox box{key_of('k')};
  EXPECT_EQ(box.open("v1:80d6910e43b83879:AAECAwQFBgcICQoLQL4KIKqbSLMRrOdlTouP43IaRc5t2F0",
                     "adapter_configs/1")
                .reveal(),
            "hunter2");
}

}  // namespace
}  // namespace dbackup::host
