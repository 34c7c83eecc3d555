#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_support.hpp"

// dbackup key: what an administrator does on the server's machine before anyone can use the API.
namespace dbackup::testing {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

class KeyCommand : public ::testing::Test {
 protected:
  ProgramResult key(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "key");
    arguments.insert(arguments.end(), {"--data-dir", folder_ / "data"});
    return dbackup(std::move(arguments));
  }
  Json create(const std::string& name, const std::string& permissions) {
    const auto made = key({"create", "--name", name, "--permissions", permissions, "--json"});
    EXPECT_EQ(made.exit_code, 0) << made.err;
    return Json::parse(made.out);
  }

  TemporaryFolder folder_;
};

TEST_F(KeyCommand, CreatesAKeyThatIsShownOnce) {
  const Json made = create("nightly script", "jobs:execute,history:read");
  const auto raw = made.at("key").get<std::string>();
  EXPECT_THAT(raw, MatchesRegex("dbackup_[0-9a-f]{60}"));
  EXPECT_THAT(made.at("id").get<std::string>(), MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-.*"));
  EXPECT_EQ(made.at("name"), "nightly script");
  EXPECT_EQ(made.at("permissions"), Json::array({"jobs:execute", "history:read"}));

  for (const auto& arguments : {std::vector<std::string>{"list"}, {"list", "--json"}}) {
    const auto listed = key(arguments);
    EXPECT_EQ(listed.exit_code, 0);
    EXPECT_THAT(listed.out, HasSubstr("nightly script"));
    EXPECT_THAT(listed.out, HasSubstr(raw.substr(0, 16)));
    EXPECT_THAT(listed.out + listed.err, Not(HasSubstr(raw.substr(16))));
  }
}

TEST_F(KeyCommand, KeepsTheKeyItselfOutOfEveryFile) {
  const auto raw = create("a", "*").at("key").get<std::string>();
  const std::string secret = raw.substr(16);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
    if (entry.is_regular_file()) {
      EXPECT_THAT(read_file(entry.path().string()), Not(HasSubstr(secret))) << entry.path();
    }
  }
}

TEST_F(KeyCommand, PrintsOnlyTheKeyWithoutJson) {
  const auto made = key({"create", "--name", "a", "--permissions", "*"});
  EXPECT_EQ(made.exit_code, 0);
  EXPECT_THAT(made.out, MatchesRegex("dbackup_[0-9a-f]{60}\n"));
  EXPECT_THAT(made.err, HasSubstr("once"));
}

TEST_F(KeyCommand, GrantsEverythingForAStar) {
  const Json all = create("all", "*").at("permissions");
  EXPECT_THAT(all.get<std::vector<std::string>>(), ::testing::IsSupersetOf({"jobs:read", "storage:restore", "vault:write", "api-keys:write"}));
}

TEST_F(KeyCommand, RefusesWhatCannotBeAKeyWithExitCodeTwo) {
  const auto unknown = key({"create", "--name", "a", "--permissions", "jobs:read,jobs:fly"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("\"jobs:fly\""));
  EXPECT_EQ(key({"create", "--name", "a", "--permissions", ""}).exit_code, 2);
  EXPECT_EQ(key({"create", "--permissions", "*"}).exit_code, 2);
  EXPECT_EQ(key({"create", "--name", std::string(101, 'x'), "--permissions", "*"}).exit_code, 2);
  const auto date = key({"create", "--name", "a", "--permissions", "*", "--expires", "tomorrow"});
  EXPECT_EQ(date.exit_code, 2);
  EXPECT_THAT(date.err, HasSubstr("--expires"));
  EXPECT_EQ(Json::parse(key({"list", "--json"}).out), Json::array());
}

TEST_F(KeyCommand, ShowsWhenAKeyExpires) {
  ASSERT_EQ(key({"create", "--name", "a", "--permissions", "*", "--expires", "2031-05-06T07:08:09Z"}).exit_code, 0);
  const Json listed = Json::parse(key({"list", "--json"}).out);
  EXPECT_EQ(listed.at(0).at("expiresAt"), "2031-05-06T07:08:09.000Z");
  EXPECT_EQ(listed.at(0).at("enabled"), true);
  EXPECT_TRUE(listed.at(0).at("lastUsedAt").is_null());
}

TEST_F(KeyCommand, RevokesOneKeyAndLeavesTheOthers) {
  const auto first = create("first", "jobs:read").at("id").get<std::string>();
  const auto second = create("second", "jobs:read").at("id").get<std::string>();
  EXPECT_EQ(key({"revoke", first}).exit_code, 0);
  const Json listed = Json::parse(key({"list", "--json"}).out);
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed.at(0).at("id"), second);

  const auto again = key({"revoke", first});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, HasSubstr(first));
  EXPECT_THAT(again.out, IsEmpty());
}

TEST_F(KeyCommand, TakesTheDataFolderFromTheEnvironment) {
  const auto id = create("a", "jobs:read").at("id").get<std::string>();
  const auto listed = dbackup({"key", "list", "--json"}, {.environment = {{"DBACKUP_DATA_DIR", folder_ / "data"}}});
  EXPECT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_EQ(Json::parse(listed.out).at(0).at("id"), id);
}

}  // namespace
}  // namespace dbackup::testing
