#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <nlohmann/json.hpp>

#include "tests/integration/cli_support.hpp"
#include "tests/support/postgres_server.hpp"

// Metadata in PostgreSQL, addressed as an administrator would write it.
namespace dbackup::testing {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string percent_encoded(const std::string& text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

TEST(MetadataInPostgres, WorksWithAPlainUrlAndAKeyOfOnesOwn) {
  if (!PostgresServer::installed()) GTEST_SKIP() << "no PostgreSQL server on this machine";
  const PostgresServer server;
  server.sql("postgres", "create database meta");
  const TemporaryFolder folder;
  const std::string key(64, 'c');
  std::map<std::string, std::string> environment{
      {"DBACKUP_DATA_DIR", folder / "data"},
      {"DBACKUP_METADATA_URL", "postgresql://postgres:" + percent_encoded(server.password()) + "@127.0.0.1:" +
                                   std::to_string(server.port()) + "/meta"}};
  const auto without_key = dbackup({"key", "list"}, {.environment = environment});
  EXPECT_EQ(without_key.exit_code, 1) << "a key made on this host alone could not be shared";
  EXPECT_THAT(without_key.err, HasSubstr("master key"));

  environment["DBACKUP_ENCRYPTION_KEY"] = key;
  const auto made = dbackup({"key", "create", "--name", "a", "--permissions", "*", "--json"}, {.environment = environment});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const auto listed = dbackup({"key", "list", "--json"}, {.environment = environment});
  EXPECT_EQ(Json::parse(listed.out).at(0).at("id"), Json::parse(made.out).at("id"));
  EXPECT_EQ(server.sql("meta", "select count(*) from api_keys"), "1");
}

TEST(MetadataInPostgres, RefusesAnotherScheme) {
  const TemporaryFolder folder;
  const auto result = dbackup({"key", "list"}, {.environment = {{"DBACKUP_DATA_DIR", folder / "data"},
                                                                {"DBACKUP_METADATA_URL", "mysql://localhost/meta"}}});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("postgresql://"));
  EXPECT_THAT(result.out, IsEmpty());
}

}  // namespace
}  // namespace dbackup::testing
