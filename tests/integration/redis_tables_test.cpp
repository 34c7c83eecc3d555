#include <dbackup/testing/gtest.hpp>
#include <set>

#include "tests/integration/redis_test_base.hpp"

namespace dbackup::testing {
namespace {

std::vector<std::string> keys_of(const Json& page) {
  std::vector<std::string> out;
  for (const Json& row : page.at("rows")) out.push_back(row.at("key").get<std::string>());
  return out;
}

TEST_F(Redis, ADatabaseIsOneTableOfItsKeys) {
  server_.select(2);
  server_.run({"MSET", "a", "1", "b", "2"});
  ItemList items;
  ASSERT_TRUE(source_.tables("2", items).ok());
  ASSERT_EQ(items.items().size(), 1U);
  EXPECT_EQ(items.items()[0].at("name"), "Keys");
  EXPECT_EQ(items.items()[0].at("rowCount"), 2);
  ItemList none;
  EXPECT_EQ(source_.tables("16", none).status, DBACKUP_NOT_FOUND);
  EXPECT_EQ(source_.tables("x", none).status, DBACKUP_NOT_FOUND);
}

TEST_F(Redis, RowsShowKeyTypeAndTimeToLive) {
  server_.run({"SET", "a", "1"});
  server_.run({"RPUSH", "b \xF0\x9F\x98\x80", "1"});
  server_.run({"SET", "c\xFF", "1", "EX", "1000"});
  const Json page = source_.rows({{"database", "0"}, {"table", "Keys"}});
  ASSERT_EQ(page.at("rows").size(), 3U);
  EXPECT_EQ(page.at("totalCount"), 3);
  EXPECT_EQ(page.at("rows")[0], (Json{{"key", "a"}, {"type", "string"}, {"ttl", "no expiry"}}));
  EXPECT_EQ(page.at("rows")[1].at("key"), "b \xF0\x9F\x98\x80");
  EXPECT_EQ(page.at("rows")[1].at("type"), "list");
  EXPECT_EQ(page.at("rows")[2].at("key"), "\\x63ff");
  EXPECT_EQ(page.at("rows")[2].at("ttl"), "1000s");
}

TEST_F(Redis, PagesFitTogetherAndFollowTheOrder) {
  for (int i = 0; i < 500; ++i) server_.run({"SET", "k" + std::to_string(1000 + i), "v"});
  server_.run({"SET", "k1250", "v", "EX", "100"});
  std::set<std::string> seen;
  for (int page = 1; page <= 3; ++page) {
    for (const auto& key : keys_of(source_.rows(
             {{"database", "0"}, {"table", "Keys"}, {"page", page}, {"pageSize", 200}}))) {
      EXPECT_TRUE(seen.insert(key).second) << key;
    }
  }
  EXPECT_EQ(seen.size(), 500U);
  const auto first = [&](const std::string& column, const std::string& direction) {
    return keys_of(source_.rows({{"database", "0"},
                                 {"table", "Keys"},
                                 {"pageSize", 1},
                                 {"sortBy", column},
                                 {"sortDir", direction}}))
        .at(0);
  };
  EXPECT_EQ(first("key", "asc"), "k1000");
  EXPECT_EQ(first("key", "desc"), "k1499");
  EXPECT_EQ(first("ttl", "asc"), "k1250");
  EXPECT_NE(first("ttl", "desc"), "k1250");
}

TEST_F(Redis, SearchTakesPatternCharactersAsTheyAre) {
  for (const char* key : {"a*b", "axb", "a?b", "[ab]", "a", "\\a", "x-a"}) {
    server_.run({"SET", key, "1"});
  }
  server_.run({"RPUSH", "listed", "1"});
  const auto found = [&](const std::string& text, const std::string& match,
                         const std::string& column) {
    return keys_of(source_.rows({{"database", "0"},
                                 {"table", "Keys"},
                                 {"search", text},
                                 {"searchColumn", column},
                                 {"matchMode", match}}));
  };
  using List = std::vector<std::string>;
  EXPECT_EQ(found("a*b", "equals", "key"), (List{"a*b"}));
  EXPECT_EQ(found("a?", "starts", "key"), (List{"a?b"}));
  EXPECT_EQ(found("[ab]", "contains", "key"), (List{"[ab]"}));
  EXPECT_EQ(found("\\", "starts", "key"), (List{"\\a"}));
  EXPECT_EQ(found("-a", "ends", "key"), (List{"x-a"}));
  EXPECT_EQ(found("list", "equals", "type"), (List{"listed"}));
  EXPECT_EQ(found("list", "contains", ""), (List{"listed"}));
  EXPECT_EQ(found("nowhere", "contains", ""), List{});
}

TEST_F(Redis, ADatabaseOfManyKeysIsShownInPartAndSaysSo) {
  server_.run({"DEBUG", "POPULATE", "150000"});
  const Json page = source_.rows({{"database", "0"}, {"table", "Keys"}, {"pageSize", 200}});
  EXPECT_EQ(page.at("rows").size(), 200U);
  EXPECT_EQ(page.at("totalCount"), 150'000);
  FakeCall call;
  ItemList items;
  EXPECT_EQ(
      source_
          .rows(call, {{"database", "0"}, {"table", "Keys"}, {"page", 700}, {"pageSize", 200}},
                items)
          .status,
      DBACKUP_INVALID_ARGUMENT);
  const Json found = source_.rows({{"database", "0"},
                                   {"table", "Keys"},
                                   {"search", "key:149999"},
                                   {"searchColumn", "key"},
                                   {"matchMode", "equals"}});
  EXPECT_EQ(keys_of(found), (std::vector<std::string>{"key:149999"}));
  EXPECT_EQ(found.at("totalCount"), 1);
}

}  // namespace
}  // namespace dbackup::testing
