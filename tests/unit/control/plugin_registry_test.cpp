#include "control/plugin_registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/control/control_world.hpp"

namespace dbackup::host {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PluginRegistryTest : public ::testing::Test {
 protected:
  ScriptedWorker script_;
  ControlWorld world_{script_};
};

TEST_F(PluginRegistryTest, OffersWhatThePluginsDescribe) {
  EXPECT_THAT(world_.plugins.list(), SizeIs(4));
  EXPECT_THAT(world_.plugins.broken(), IsEmpty());
  const auto found = world_.plugins.find("postgres", protocol::AdapterKind::Source);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->plugin_path, script_.path("plugins/all.so"));
  EXPECT_EQ(world_.plugins.find("postgres", protocol::AdapterKind::Storage), nullptr);
  EXPECT_EQ(world_.plugins.find("nobody"), nullptr);
}

TEST_F(PluginRegistryTest, AsksAPluginAgainOnlyWhenItsFileChanged) {
  world_.plugins.refresh();
  EXPECT_THAT(script_.requests("describe"), SizeIs(1));
  std::ofstream{script_.path("plugins/all.so"), std::ios::app} << "changed";
  world_.plugins.refresh();
  EXPECT_THAT(script_.requests("describe"), SizeIs(2));
}

TEST_F(PluginRegistryTest, KeepsTheOthersWhenAPluginCrashes) {
  script_.set("describe", {{{"signal", SIGSEGV}}});
  script_.make_file("plugins/bad.so");
  std::ofstream{script_.path("plugins/bad.so"), std::ios::app} << "other bytes";
  world_.plugins.refresh();
  EXPECT_NE(world_.plugins.find("postgres"), nullptr);
  ASSERT_THAT(world_.plugins.broken(), SizeIs(1));
  EXPECT_EQ(world_.plugins.broken().at(0).path, script_.path("plugins/bad.so"));
  EXPECT_THAT(world_.plugins.broken().at(0).reason, HasSubstr("SEGV"));
}

TEST_F(PluginRegistryTest, GivesAnAdapterToTheFirstPluginThatOffersIt) {
  script_.make_file("plugins/second.so");
  world_.plugins.refresh();
  EXPECT_THAT(world_.plugins.list(), SizeIs(4));
  EXPECT_THAT(world_.plugins.broken(), SizeIs(4));
  EXPECT_EQ(world_.plugins.find("disk")->plugin_path, script_.path("plugins/all.so"));
}

TEST_F(PluginRegistryTest, RefusesAFileThatOthersMayWrite) {
  std::filesystem::permissions(script_.path("plugins/all.so"), std::filesystem::perms::others_write,
                               std::filesystem::perm_options::add);
  world_.plugins.refresh();
  EXPECT_THAT(world_.plugins.list(), IsEmpty());
  ASSERT_THAT(world_.plugins.broken(), SizeIs(1));
  EXPECT_THAT(world_.plugins.broken().at(0).reason, HasSubstr("written by others"));
}

TEST_F(PluginRegistryTest, RefusesPathsThatLeadIntoThePrivateFolder) {
  const std::string data = world_.context.data_dir;
  std::filesystem::create_directories(data + "/private");
  std::filesystem::create_directory_symlink(data + "/private", script_.folder() / "link");
  const auto reason = [&](const char* adapter, const std::string& folder) -> std::string {
    try {
      world_.resolver.resolve_plain(adapter, {{"folder", folder}});
    } catch (const Error& error) {
      return error.reason();
    }
    return "allowed";
  };
  EXPECT_EQ(reason("postgres", data + "/private/metadata.db"), "forbidden_path");
  EXPECT_EQ(reason("postgres", data + "/x/../private"), "forbidden_path");
  EXPECT_EQ(reason("disk", script_.path("link/keys")), "forbidden_path");
  EXPECT_EQ(reason("disk", data), "forbidden_path");
  EXPECT_EQ(reason("disk", "/"), "forbidden_path");
  EXPECT_EQ(reason("disk", data + "/private-not"), "allowed");
  EXPECT_EQ(reason("postgres", data), "allowed");
}

TEST_F(PluginRegistryTest, SealsAConfigurationForItsOwnRowOnly) {
  const std::string sealed = world_.resolver.seal_config("one", {{"secret", "s3cret"}});
  EXPECT_THAT(sealed, ::testing::Not(HasSubstr("s3cret")));
  EXPECT_EQ(world_.resolver.open_config({.id = "one", .sealed_config = sealed}).at("secret"), "s3cret");
  EXPECT_THROW(world_.resolver.open_config({.id = "two", .sealed_config = sealed}), Error);
}

}  // namespace
}  // namespace dbackup::host
