#include <gtest/gtest.h>

#include <dbackup/testing/gtest.hpp>

#include "plugin_under_test.hpp"
#include "tests/support/paths.hpp"

// The kit over its own adapters, and over plugins with one fault each: a check that finds nothing
// anywhere checks nothing.

namespace dbackup::tests {
namespace {

using testing::check_adapter;
using testing::conforms;
using testing::FakeCall;
using testing::Finding;
using testing::MemoryReader;
using testing::MemoryWriter;
using testing::Outcome;
using testing::SourceInstance;

testing::PluginFile test_plugin(const std::string& name) {
  return testing::PluginFile{::dbackup::test::binary_dir() + "/lib/dbackup/test-plugins/" + name +
                             ".so"};
}

std::string dump_of(const Json& config, const std::string& database = "synthetic") {
  static const auto plugin = test_plugin("synthetic");
  const auto& table =
      *testing::table_of<dbackup_source>(plugin.adapter("synthetic"), DBACKUP_EXT_SOURCE);
  Outcome outcome;
  const auto source = SourceInstance::open(table, config, outcome);
  FakeCall call;
  MemoryWriter out;
  EXPECT_TRUE(source.run(table.dump, call, {{"database", database}}, out).ok());
  return out.content();
}

TEST(SyntheticSource, DoesWhatEverySourcePromises) {
  const auto plugin = test_plugin("synthetic");
  EXPECT_TRUE(conforms(plugin.adapter("synthetic"),
                       {.config = Json{{"size_bytes", 5'000'001}, {"databases", 2}},
                        .database = "synthetic",
                        .restore_database = "elsewhere"}));
}

TEST(SyntheticSource, GivesTheSameBytesForTheSameSeedAlone) {
  const Json config{{"size_bytes", 300'001}, {"seed", 7}};
  const std::string first = dump_of(config);
  EXPECT_EQ(first.size(), 300'001u);
  EXPECT_EQ(first, dump_of(config));
  EXPECT_NE(first, dump_of({{"size_bytes", 300'001}, {"seed", 8}}));
  EXPECT_NE(first,
            dump_of({{"size_bytes", 300'001}, {"seed", 7}, {"databases", 2}}, "synthetic-2"));
}

TEST(SyntheticSource, FailsAtTheVeryByte) {
  const auto plugin = test_plugin("synthetic");
  const auto& table =
      *testing::table_of<dbackup_source>(plugin.adapter("synthetic"), DBACKUP_EXT_SOURCE);
  Outcome outcome;
  const auto source = SourceInstance::open(table, {{"fail_at_byte", 123'457}}, outcome);
  FakeCall call;
  MemoryWriter out;
  EXPECT_EQ(source.run(table.dump, call, {{"database", "synthetic"}}, out).status, DBACKUP_ABORTED);
  EXPECT_EQ(out.size(), 123'457u);
}

TEST(SyntheticSource, NoticesOneWrongByteInARestore) {
  const auto plugin = test_plugin("synthetic");
  const auto& table =
      *testing::table_of<dbackup_source>(plugin.adapter("synthetic"), DBACKUP_EXT_SOURCE);
  std::string content = dump_of({{"size_bytes", 1'000'000}});
  content[700'000] = static_cast<char>(content[700'000] ^ 1);
  Outcome outcome;
  const auto source = SourceInstance::open(table, {{"size_bytes", 1'000'000}}, outcome);
  FakeCall call;
  MemoryReader in{content};
  EXPECT_EQ(source.run(table.restore, call, {{"database", "synthetic"}}, in).status,
            DBACKUP_DATA_LOSS);
}

struct FaultyPlugin {
  const char* name;
  const char* check;  // where the fault must show; nullptr: nothing to find
};

class TestingKit : public ::testing::TestWithParam<FaultyPlugin> {};

TEST_P(TestingKit, FindsTheFaultOf) {
  const auto plugin = test_plugin(std::string{"bad-"} + GetParam().name);
  const auto findings =
      check_adapter(plugin.adapter(), {.config = Json::object(), .database = "bad"});
  std::string all;
  bool found = false;
  for (const Finding& finding : findings) {
    all += finding.check + ": " + finding.sentence + "\n";
    found = found || (GetParam().check != nullptr && finding.check == GetParam().check);
  }
  EXPECT_TRUE(found) << GetParam().name << ":\n" << all;
}

INSTANTIATE_TEST_SUITE_P(Bad, TestingKit,
                         ::testing::Values(FaultyPlugin{"short-table", "table"},
                                           FaultyPlugin{"no-json", "descriptor"},
                                           FaultyPlugin{"no-table", "descriptor"},
                                           FaultyPlugin{"garbage-result", "source.dump"},
                                           FaultyPlugin{"bad-status", "source.dump"},
                                           FaultyPlugin{"silent-failure", "source.dump"},
                                           FaultyPlugin{"lying-writer", "source.failing-consumer"},
                                           // Dumps whatever it is asked for.
                                           FaultyPlugin{"newer-minor", "source.unknown-database"}),
                         [](const auto& tested) {
                           std::string name = tested.param.name;
                           std::erase(name, '-');
                           return name;
                         });

TEST(PluginFile, RefusesWhatIsNoPluginInWords) {
  const auto words = [](const std::string& name) -> std::string {
    try {
      (void)test_plugin(name);
      return "loaded";
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  };
  EXPECT_NE(words("bad-no-symbol").find("is no plugin"), std::string::npos);
  EXPECT_NE(words("bad-undefined-symbol").find("undefined symbol"), std::string::npos);
  EXPECT_NE(words("bad-wrong-major").find("was built for ABI 2, this is 1"), std::string::npos);
  EXPECT_NE(words("bad-elf-class").find("wrong ELF class"), std::string::npos);
  EXPECT_EQ(words("bad-newer-minor"), "loaded");
}

}  // namespace
}  // namespace dbackup::tests
