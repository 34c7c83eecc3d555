#include "plugin_under_test.hpp"

#include <dbackup/testing/gtest.hpp>

#include <gtest/gtest.h>

namespace dbackup::tests {
namespace {

using testing::conforms;

TEST(LocalFilesystem, DoesWhatEveryStoragePromises) {
  const auto plugin = built_plugin("local-filesystem");
  const TempFolder folder;
  EXPECT_TRUE(conforms(plugin.adapter("local-filesystem"), {.config = {{"basePath", (folder.path() / "base").string()}}}));
}

}  // namespace
}  // namespace dbackup::tests
