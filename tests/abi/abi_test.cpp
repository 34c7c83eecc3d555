#include <gtest/gtest.h>

#include <dbackup/exec.hpp>
#include <dbackup/testing/gtest.hpp>
#include <dbackup/testing/plugin_file.hpp>
#include <filesystem>
#include <fstream>

#include "tests/conformance/plugin_under_test.hpp"
#include "tests/support/paths.hpp"

namespace dbackup::tests {
namespace {

namespace fs = std::filesystem;
using testing::FakeCall;

/// What the dynamic linker would see of a library, one symbol a line.
std::string exported_symbols(const fs::path& library) {
  FakeCall call;
  testing::offer_local_services(call);
  return Exec{call.call()}
      .run({"nm", "-D", "--defined-only", "--format=just-symbols", library.string()})
      .output;
}

TEST(Abi, AllowsAPluginInPlainC) {
  const testing::PluginFile plugin{::dbackup::test::binary_dir() +
                                   "/lib/dbackup/test-plugins/c-notifier.so"};
  const TempFolder folder;
  const std::string file = (folder.path() / "events").string();
  EXPECT_TRUE(testing::conforms(plugin.adapter("c-file"), {.config = Json{{"path", file}}}));
  std::ifstream in{file};
  std::string first;
  std::getline(in, first);
  EXPECT_EQ(first, "test");
}

TEST(Abi, ShowsOneSymbolOfEveryPlugin) {
  size_t seen = 0;
  for (const char* folder : {"/lib/dbackup/plugins", "/lib/dbackup/test-plugins"}) {
    for (const auto& entry : fs::directory_iterator{::dbackup::test::binary_dir() + folder}) {
      const std::string name = entry.path().filename().string();
      if (entry.path().extension() != ".so" || name.starts_with("bad-")) continue;
      EXPECT_EQ(exported_symbols(entry.path()), "dbackup_plugin\n") << name;
      ++seen;
    }
  }
  EXPECT_GE(seen, 4u);
}

TEST(Abi, ReadsAMemberOnlyInsideTheOtherSidesStruct) {
  dbackup_source table{};
  table.struct_size = offsetof(dbackup_source, rows);
  table.tables = [](void*, const dbackup_call*, dbackup_str, const dbackup_item_sink*) noexcept {
    return dbackup_status{DBACKUP_OK};
  };
  table.rows = table.tables;
  const dbackup_source* seen = &table;
  EXPECT_TRUE(DBACKUP_HAS(dbackup_source, seen, tables));
  EXPECT_FALSE(DBACKUP_HAS(dbackup_source, seen, rows)) << "it lies behind the end";
  EXPECT_FALSE(DBACKUP_HAS(dbackup_source, seen, list_databases)) << "it is not filled in";
}

TEST(Abi, KeepsTheSdkVersionInOnePlace) {
  std::ifstream in{::dbackup::test::source_dir() + "/sdk/include/dbackup/abi.h"};
  const std::string header{std::istreambuf_iterator<char>{in}, {}};
  EXPECT_NE(header.find("#define DBACKUP_SDK_VERSION \"" DBACKUP_PARSED_SDK_VERSION "\""),
            std::string::npos);
}

}  // namespace
}  // namespace dbackup::tests
