#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/support/dbackup_server.hpp"
#include "tests/support/paths.hpp"

/// The API reference in a real browser, without any other host.
namespace dbackup::testing {
namespace {

using ::dbackup::test::source_dir;

TEST(ApiReferenceInABrowser, ListsEverySectionAndSendsRequests) {
  DBackupServer server;
  const std::string tools = source_dir() + "/build/web/tools";
  ASSERT_TRUE(std::filesystem::exists(tools + "/node_modules/playwright-core"))
      << "packaging/dev web installs what this test needs";
  const TempFolder folder;
  const auto [status, output] =
      run_program({"node", source_dir() + "/tests/e2e/api_reference.mjs", tools, server.url(), server.key(),
                   folder / "reference.png"});
  ASSERT_EQ(status, 0);
  const Json seen = Json::parse(output, nullptr, false);
  ASSERT_TRUE(seen.is_object()) << output;
  EXPECT_EQ(seen["complaints"], Json::array()) << "console, policy violations, failed requests";
  EXPECT_EQ(seen["foreign"], Json::array()) << "requests to other hosts";
  EXPECT_EQ(seen["title"], "DBackup API reference");
  EXPECT_EQ(seen["server"], server.url());
  ASSERT_TRUE(seen["answer"].is_object()) << output;
  EXPECT_EQ(seen["answer"]["status"], 200);
  EXPECT_EQ(seen["answer"]["authorization"], true);
  EXPECT_EQ(seen["answer"]["body"], Json::array());

  const Json document = server.get("/openapi.json").json();
  for (const Json& tag : document["tags"]) {
    EXPECT_TRUE(std::ranges::count(seen["sections"], tag["name"]) == 1) << tag["name"] << " is not in the side bar";
  }
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      EXPECT_TRUE(std::ranges::count(seen["operations"], operation["summary"]) >= 1) << operation["summary"];
    }
  }
}

TEST(ApiReferenceInABrowser, ComesCompressedAndStaysInTheCache) {
  DBackupServer server;
  const auto bundle = [&](const std::string& coding) {
    return server.call("GET", "/docs/api/scalar.js", nullptr, {.key = "-", .headers = {{"Accept-Encoding", coding}}});
  };
  const Answer plain = bundle("identity"), packed = bundle("br");
  ASSERT_EQ(plain.status, 200) << "packaging/dev web installs it";
  EXPECT_EQ(packed.headers.at("content-encoding"), "br");
  EXPECT_LT(packed.body.size(), plain.body.size() / 3);
  const Answer page = server.call("GET", "/docs/api", nullptr, {.key = "-"});
  const size_t at = page.body.find("/docs/api/scalar.js?v=");
  ASSERT_NE(at, std::string::npos);
  const std::string address = page.body.substr(at, page.body.find('"', at) - at);
  EXPECT_EQ(server.call("GET", address, nullptr, {.key = "-"}).headers.at("cache-control"),
            "public, max-age=31536000, immutable");
}

}  // namespace
}  // namespace dbackup::testing
