#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_support.hpp"

// dbackup user: how an operator lets the first people in, and back in.
namespace dbackup::testing {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class UserCommand : public ::testing::Test {
 protected:
  ProgramResult user(std::vector<std::string> arguments, const std::string& password = "") {
    write_file(folder_ / "stdin", password);
    arguments.insert(arguments.begin(), "user");
    arguments.insert(arguments.end(), {"--data-dir", folder_ / "data"});
    return dbackup(std::move(arguments), {.stdin_file = folder_ / "stdin"});
  }

  TemporaryFolder folder_;
};

TEST_F(UserCommand, CreatesASuperAdminWithAPasswordFromStandardInput) {
  const auto made = user(
      {"create", "--name", "Ada", "--email", "Ada@Example.org", "--group", "SuperAdmin", "--json"},
      "correct horse battery\n");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(Json::parse(made.out)["group"], "SuperAdmin");
  EXPECT_THAT(made.out + made.err, Not(HasSubstr("horse")));
  const auto listed = user({"list", "--json"});
  EXPECT_EQ(Json::parse(listed.out)[0]["email"], "ada@example.org");
  EXPECT_EQ(
      user({"create", "--name", "Ada", "--email", "ada@example.org"}, "correct horse battery\n")
          .exit_code,
      1);
}

TEST_F(UserCommand, RefusesAWeakPasswordABadAddressAndAnUnknownGroup) {
  EXPECT_EQ(user({"create", "--name", "A", "--email", "a@example.org"}, "short\n").exit_code, 2);
  EXPECT_EQ(user({"create", "--name", "A", "--email", "nobody"}, "long enough\n").exit_code, 2);
  const auto no_group = user(
      {"create", "--name", "A", "--email", "a@example.org", "--group", "Nobody"}, "long enough\n");
  EXPECT_EQ(no_group.exit_code, 1);
  EXPECT_THAT(no_group.err, HasSubstr("Nobody"));
}

TEST_F(UserCommand, ResetsAPasswordAndMakesOneWhenAsked) {
  ASSERT_EQ(user({"create", "--name", "A", "--email", "a@example.org"}, "long enough\n").exit_code,
            0);
  const auto reset = user({"reset-password", "--email", "a@example.org", "--generate", "--json"});
  ASSERT_EQ(reset.exit_code, 0) << reset.err;
  EXPECT_EQ(Json::parse(reset.out)["password"].get<std::string>().size(), 24u);
  EXPECT_EQ(user({"reset-password", "--email", "b@example.org", "--generate"}).exit_code, 1);
}

}  // namespace
}  // namespace dbackup::testing
