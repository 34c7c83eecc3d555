#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_support.hpp"
#include "tests/support/paths.hpp"

// What the program says about its arguments and its configuration, and with which exit code.
namespace dbackup::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Program, TellsUsageErrorsApart) {
  EXPECT_EQ(dbackup({}).exit_code, 2);
  EXPECT_EQ(dbackup({"fly"}).exit_code, 2);
  EXPECT_EQ(dbackup({"key"}).exit_code, 2);
  EXPECT_EQ(dbackup({"key", "list", "--wings"}).exit_code, 2);
}

TEST(Program, ExplainsItselfOnStandardOutput) {
  const auto help = dbackup({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* word : {"serve", "worker", "key", "plugin", "decrypt", "config", "version", "Exit codes"}) {
    EXPECT_THAT(help.out, HasSubstr(word));
  }
  EXPECT_THAT(help.err, IsEmpty());
}

TEST(Program, SaysItsVersionForPeopleAndForScripts) {
  const auto text = dbackup({"version"});
  EXPECT_EQ(text.exit_code, 0);
  const auto json = dbackup({"version", "--json"});
  EXPECT_EQ(json.exit_code, 0);
  const auto version = nlohmann::json::parse(json.out).at("version").get<std::string>();
  EXPECT_EQ(text.out, "dbackup " + version + "\n");
}

TEST(ConfigCommand, PrintsTheFileThatIsShipped) {
  const auto printed = dbackup({"config", "print"});
  EXPECT_EQ(printed.exit_code, 0);
  EXPECT_EQ(printed.out, read_file(::dbackup::test::source_dir() + "/config/dbackup.yaml"));
}

TEST(ConfigCommand, AcceptsEveryExample) {
  size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(::dbackup::test::source_dir() + "/config/examples")) {
    if (entry.path().extension() != ".yaml") continue;
    ++seen;
    const auto checked = dbackup({"config", "check", "--config", entry.path().string()});
    EXPECT_EQ(checked.exit_code, 0) << entry.path() << ": " << checked.err;
  }
  EXPECT_GT(seen, 0U);
}

TEST(ConfigCommand, NamesFileAndLineOfAnUnknownKey) {
  const TemporaryFolder folder;
  const std::string file = folder / "c.yaml";
  write_file(file, "# mine\nserver:\n  port: 3001\n  prot: 3002\n");
  for (const auto& arguments : {std::vector<std::string>{"config", "check", "-c", file},
                                {"serve", "-c", file, "--data-dir", folder / "data"},
                                {"key", "list", "-c", file, "--data-dir", folder / "data"}}) {
    const auto result = dbackup(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments[0];
    EXPECT_THAT(result.err, HasSubstr(file + ":4: ")) << arguments[0];
    EXPECT_THAT(result.err, HasSubstr("server.prot"));
    EXPECT_THAT(result.out, IsEmpty());
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "data")) << "a bad configuration must not leave anything behind";
}

TEST(ConfigCommand, SaysWhatWasExpectedOfABadValue) {
  const TemporaryFolder folder;
  const std::string file = folder / "c.yaml";
  write_file(file, "server:\n  port: many\n");
  const auto result = dbackup({"config", "check", "-c", file});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr(file + ":2: "));
  EXPECT_THAT(result.err, HasSubstr("0 to 65535"));

  const auto variable = dbackup({"config", "check"}, {.environment = {{"DBACKUP_SERVER_PORT", "many"}}});
  EXPECT_EQ(variable.exit_code, 2);
  EXPECT_THAT(variable.err, HasSubstr("DBACKUP_SERVER_PORT"));
}

TEST(ConfigCommand, WarnsOfAnUnknownVariableAndGoesOn) {
  const auto result = dbackup({"config", "check"}, {.environment = {{"DBACKUP_SERVER_PROT", "1"}}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("DBACKUP_SERVER_PROT"));
}

TEST(ConfigCommand, ShowsWhereAValueComesFromAndNoSecret) {
  const TemporaryFolder folder;
  const std::string file = folder / "c.yaml";
  const std::string key(64, 'a');
  write_file(file, "server:\n  port: 3001\n  address: \"0.0.0.0\"\n");
  const auto result = dbackup({"config", "check", "-c", file},
                              {.environment = {{"DBACKUP_SERVER_PORT", "3002"}, {"DBACKUP_ENCRYPTION_KEY", key}}});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, ::testing::ContainsRegex("server.port +environment +3002"));
  EXPECT_THAT(result.out, ::testing::ContainsRegex("server.address +file +0.0.0.0"));
  EXPECT_THAT(result.out, ::testing::ContainsRegex("server.quick_threads +default +"));
  EXPECT_THAT(result.out + result.err, Not(HasSubstr(key)));
}

TEST(ConfigCommand, FailsWhenTheNamedFileIsMissing) {
  const auto result = dbackup({"config", "check", "-c", "/nonexistent/dbackup.yaml"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("/nonexistent/dbackup.yaml"));
}

}  // namespace
}  // namespace dbackup::testing
