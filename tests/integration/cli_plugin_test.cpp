#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_support.hpp"
#include "tests/support/paths.hpp"

// dbackup plugin list and check, over good plugins and over ones with a fault each.
namespace dbackup::testing {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

const std::string kShipped = ::dbackup::test::binary_dir() + "/lib/dbackup/plugins/";
const std::string kFaulty = ::dbackup::test::binary_dir() + "/lib/dbackup/test-plugins/";

TEST(PluginList, ShowsEveryShippedAdapter) {
  const auto listed = dbackup({"plugin", "list", "--json"});
  EXPECT_EQ(listed.exit_code, 0) << listed.err << listed.out;
  std::vector<std::string> ids;
  for (const Json& plugin : Json::parse(listed.out)) {
    EXPECT_FALSE(plugin.at("version").get<std::string>().empty());
    for (const Json& adapter : plugin.at("adapters")) ids.push_back(adapter.get<std::string>());
  }
  EXPECT_THAT(ids, ::testing::IsSupersetOf({"postgres", "sqlite", "local-filesystem", "generic-webhook"}));
}

TEST(PluginList, NamesABrokenPluginAndShowsTheOthers) {
  const TemporaryFolder folder;
  for (const char* name : {"synthetic.so", "bad-start-crash.so", "bad-no-symbol.so", "bad-wrong-major.so", "bad-text.so"}) {
    std::filesystem::copy(kFaulty + name, folder / name);
  }
  const auto listed = dbackup({"plugin", "list", "--json"}, {.environment = {{"DBACKUP_PLUGINS_DIRS", folder.path().string()}}});
  EXPECT_EQ(listed.exit_code, 1);
  size_t broken = 0;
  bool has_synthetic = false;
  for (const Json& plugin : Json::parse(listed.out)) {
    broken += plugin.contains("error");
    has_synthetic = has_synthetic || plugin.value("plugin", "") == "test.synthetic";
    if (plugin.contains("error")) {
      EXPECT_THAT(plugin.at("file").get<std::string>(), HasSubstr(folder.path().string()));
    }
  }
  EXPECT_EQ(broken, 4U) << listed.out;
  EXPECT_TRUE(has_synthetic);

  const auto text = dbackup({"plugin", "list"}, {.environment = {{"DBACKUP_PLUGINS_DIRS", folder.path().string()}}});
  EXPECT_THAT(text.out, HasSubstr("bad-start-crash.so"));
}

TEST(PluginCheck, PassesTheShippedPlugins) {
  for (const char* name : {"postgres.so", "sqlite.so", "local-filesystem.so", "generic-webhook.so"}) {
    const auto checked = dbackup({"plugin", "check", kShipped + name});
    EXPECT_EQ(checked.exit_code, 0) << name << ": " << checked.out << checked.err;
  }
}

TEST(PluginCheck, UsesARealTargetWhenGivenOne) {
  const TemporaryFolder folder;
  write_file(folder / "config.json", Json{{"basePath", folder / "store"}}.dump());
  const auto checked = dbackup({"plugin", "check", kShipped + "local-filesystem.so", "--config", folder / "config.json"});
  EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
  EXPECT_TRUE(std::filesystem::exists(folder / "store"));
}

TEST(PluginReadme, EveryShippedPluginHasAPageWithItsOptions) {
  size_t pages = 0;
  for (const auto& entry : std::filesystem::directory_iterator{kShipped}) {
    if (entry.path().extension() != ".so") continue;
    const std::string page = ::dbackup::test::source_dir() + "/plugins/" + entry.path().stem().string() + "/README.md";
    const auto checked = dbackup({"plugin", "readme", entry.path().string(), page, "--check"});
    EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err << "\ndbackup plugin readme " << entry.path() << " " << page;
    ++pages;
  }
  EXPECT_GE(pages, 4U);
}

TEST(PluginReadme, FillsBlocksAndLeavesTheProse) {
  const TemporaryFolder folder;
  const std::string page = folder / "README.md";
  write_file(page, "# Before\n<!-- options local-filesystem -->\nold\n<!-- /options -->\nAfter\n");
  EXPECT_EQ(dbackup({"plugin", "readme", kShipped + "local-filesystem.so", page, "--check"}).exit_code, 1);
  ASSERT_EQ(dbackup({"plugin", "readme", kShipped + "local-filesystem.so", page}).exit_code, 0);
  const std::string filled = read_file(page);
  EXPECT_THAT(filled, ::testing::StartsWith("# Before\n<!-- options local-filesystem -->\n| Option |"));
  EXPECT_THAT(filled, HasSubstr("| `basePath` | path |"));
  EXPECT_THAT(filled, ::testing::EndsWith("<!-- /options -->\nAfter\n"));
  EXPECT_EQ(dbackup({"plugin", "readme", kShipped + "local-filesystem.so", page, "--check"}).exit_code, 0);

  write_file(page, "nothing of it\n");
  const auto missing = dbackup({"plugin", "readme", kShipped + "local-filesystem.so", page});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.err, HasSubstr("local-filesystem"));
  EXPECT_EQ(read_file(page), "nothing of it\n");
}

TEST(PluginCheck, SurvivesACrashAndSaysSo) {
  const auto crashed = dbackup({"plugin", "check", kFaulty + "bad-start-crash.so"});
  EXPECT_EQ(crashed.exit_code, 1);
  EXPECT_THAT(crashed.out + crashed.err, HasSubstr("signal"));

  const TemporaryFolder folder;
  write_file(folder / "config.json", "{}");
  const auto in_dump = dbackup({"plugin", "check", kFaulty + "bad-crash.so", "--config", folder / "config.json"});
  EXPECT_EQ(in_dump.exit_code, 1) << in_dump.out;
  EXPECT_THAT(in_dump.out + in_dump.err, HasSubstr("signal"));
}

TEST(PluginCheck, RefusesWhatIsNoPluginWithItsReason) {
  for (const char* name : {"bad-no-symbol.so", "bad-wrong-major.so", "bad-text.so", "bad-empty.so", "bad-truncated.so"}) {
    const auto refused = dbackup({"plugin", "check", kFaulty + name});
    EXPECT_EQ(refused.exit_code, 1) << name;
    EXPECT_FALSE((refused.out + refused.err).empty()) << name;
  }
  EXPECT_EQ(dbackup({"plugin", "check", "/nonexistent.so"}).exit_code, 1);
  EXPECT_EQ(dbackup({"plugin", "check"}).exit_code, 2);
}

}  // namespace
}  // namespace dbackup::testing
