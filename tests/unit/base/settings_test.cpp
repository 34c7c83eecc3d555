#include "base/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.hpp"
#include "base/settings_table.hpp"
#include "tests/support/paths.hpp"

namespace dbackup::host {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SettingsTest : public ::testing::Test {
 protected:
  SettingsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dbackup-settings-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~SettingsTest() override { std::filesystem::remove_all(directory_); }

  Settings load(const std::string& yaml, std::map<std::string, std::string> environment = {}) {
    file_ = (directory_ / "dbackup.yaml").string();
    std::ofstream{file_} << yaml;
    return Settings::load({.file = file_, .environment = std::move(environment)},
                          [this](const std::string& text) { warnings_.push_back(text); });
  }
  std::string error_of(const std::string& yaml, std::map<std::string, std::string> environment = {}) {
    try {
      load(yaml, std::move(environment));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  std::filesystem::path directory_;
  std::string file_;
  std::vector<std::string> warnings_;
};

TEST_F(SettingsTest, EveryRowHasADefaultOfItsOwnType) {
  for (const auto& row : settings_table()) {
    const std::string yaml_of_default = [&] {
      const auto dot = row.key.find('.');
      return std::string(row.key.substr(0, dot)) + ":\n  " + std::string(row.key.substr(dot + 1)) + ": " +
             (row.type == SettingType::List ? "[]"
              : row.type == SettingType::Text || row.fallback.empty() ? "\"" + std::string(row.fallback) + "\""
                                                                       : std::string(row.fallback)) +
             "\n";
    }();
    EXPECT_EQ(error_of(yaml_of_default), "") << row.key;
  }
}

TEST_F(SettingsTest, EnvironmentWinsOverFileWinsOverStoredWinsOverDefault) {
  Settings settings = load("queue:\n  max_concurrent_jobs: 3\n");
  settings.set_stored("maxConcurrentJobs", "5");
  EXPECT_EQ(settings.integer("queue.max_concurrent_jobs"), 3);
  EXPECT_EQ(settings.origin("queue.max_concurrent_jobs"), SettingOrigin::File);

  settings = load("queue:\n  max_concurrent_jobs: 3\n", {{"DBACKUP_QUEUE_MAX_CONCURRENT_JOBS", "4"}});
  EXPECT_EQ(settings.integer("queue.max_concurrent_jobs"), 4);

  settings = load("");
  EXPECT_EQ(settings.integer("queue.max_concurrent_jobs"), 1);
  settings.set_stored("maxConcurrentJobs", "5");
  EXPECT_EQ(settings.integer("queue.max_concurrent_jobs"), 5);
}

TEST_F(SettingsTest, AnUnknownKeyIsRefusedWithFileAndLine) {
  EXPECT_THAT(error_of("server:\n  address: 0.0.0.0\n  prot: 80\n"),
              AllOf(HasSubstr(file_ + ":3: "), HasSubstr("unknown key \"server.prot\"")));
  EXPECT_THAT(error_of("port: 80\n"), HasSubstr("did you mean \"server.port\"?"));
}

TEST_F(SettingsTest, ABadValueIsRefusedWithWhatWasExpected) {
  EXPECT_THAT(error_of("server:\n  port: 99999\n"),
              AllOf(HasSubstr(":2: "), HasSubstr("\"server.port\" must be an integer from 0 to 65535")));
  EXPECT_THAT(error_of("server:\n  port: 30a\n"), HasSubstr("must be an integer"));
  EXPECT_THAT(error_of("log:\n  level: loud\n"), HasSubstr("one of: debug, info, warning, error"));
  EXPECT_THAT(error_of("rate_limits:\n  enabled: yes\n"), HasSubstr("must be true or false"));
  EXPECT_THAT(error_of("server: 3\n"), HasSubstr("\"server\" must hold settings"));
  EXPECT_THAT(error_of("", {{"DBACKUP_SERVER_PORT", "x"}}),
              HasSubstr("DBACKUP_SERVER_PORT must be an integer"));
}

TEST_F(SettingsTest, AKeyGivenTwiceIsRefused) {
  EXPECT_THAT(error_of("log:\n  level: info\n  level: debug\n"),
              AllOf(HasSubstr(":3: "), HasSubstr("given twice")));
}

TEST_F(SettingsTest, BrokenYamlNamesTheLine) {
  EXPECT_THAT(error_of("server:\n  port: [1\n"), HasSubstr(file_ + ":"));
}

TEST_F(SettingsTest, AMissingFileIsNamed) {
  try {
    Settings::load({.file = "/does/not/exist.yaml"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/does/not/exist.yaml"));
  }
}

TEST_F(SettingsTest, AnUnknownVariableIsOnlyAWarning) {
  load("", {{"DBACKUP_SERVER_PROT", "1"}, {"DBACKUP_CONFIG", "x"}});
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("DBACKUP_SERVER_PROT")));
}

TEST_F(SettingsTest, ListsComeFromYamlAndFromTheEnvironment) {
  EXPECT_THAT(load("plugins:\n  dirs: [/a, /b]\n").list("plugins.dirs"), ElementsAre("/a", "/b"));
  EXPECT_THAT(load("", {{"DBACKUP_PLUGINS_DIRS", "/c:/d"}}).list("plugins.dirs"), ElementsAre("/c", "/d"));
}

TEST_F(SettingsTest, TheShippedFileIsTheTableAndLoads) {
  const std::string shipped = ::dbackup::test::source_dir() + "/config/dbackup.yaml";
  std::stringstream text;
  text << std::ifstream{shipped}.rdbuf();
  EXPECT_EQ(text.str(), render_default_yaml()) << "write it anew with: dbackup config print";
  EXPECT_NO_THROW(Settings::load({.file = shipped}));
}

}  // namespace
}  // namespace dbackup::host
