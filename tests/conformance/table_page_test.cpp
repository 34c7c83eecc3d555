#include <gtest/gtest.h>

#include <dbackup/table_page.hpp>

namespace dbackup {
namespace {

RowsRequest parsed(const Json& change) {
  Json request{{"database", "d"}, {"table", "t"}};
  request.update(change);
  return RowsRequest::parse(Config(request));
}

TEST(RowsRequest, ReadsWhatAHostSends) {
  const RowsRequest plain = parsed(Json::object());
  EXPECT_EQ(plain.offset(), 0);
  EXPECT_EQ(plain.page_size, 50);
  EXPECT_FALSE(plain.descending);
  const RowsRequest full = parsed({{"page", 3}, {"pageSize", 20}, {"sortDir", "desc"}});
  EXPECT_EQ(full.offset(), 40);
  EXPECT_TRUE(full.descending);
  for (const Json& bad : {Json{{"page", 0}}, Json{{"pageSize", 201}}, Json{{"matchMode", "like"}},
                          Json{{"sortDir", "up"}}, Json{{"table", ""}}, Json{{"page", "1"}}}) {
    EXPECT_THROW(parsed(bad), Error) << bad;
  }
}

TEST(RowsRequest, RefusesColumnsThatTheTableDoesNotHave) {
  const std::vector<ColumnInfo> columns{{.name = "a", .data_type = "int"}};
  EXPECT_NO_THROW(parsed({{"sortBy", "a"}, {"searchColumn", "a"}}).check_columns(columns));
  EXPECT_THROW(parsed({{"sortBy", "A"}}).check_columns(columns), Error);
  EXPECT_THROW(parsed({{"searchColumn", "a\""}}).check_columns(columns), Error);
}

TEST(RowsRequest, WritesPatternsThatMatchTheTextItself) {
  const auto pattern = [](const char* mode) {
    return parsed({{"search", "50%_\\"}, {"matchMode", mode}}).like_pattern();
  };
  EXPECT_EQ(pattern("contains"), R"(%50\%\_\\%)");
  EXPECT_EQ(pattern("starts"), R"(50\%\_\\%)");
  EXPECT_EQ(pattern("ends"), R"(%50\%\_\\)");
}

TEST(Cell, IsNullOrItsText) {
  EXPECT_TRUE(cell(std::nullopt, 10).is_null());
  EXPECT_EQ(cell("", 10), "");
  EXPECT_EQ(cell("text", 10), "text");
}

TEST(Cell, IsCutAtWholeCharactersWithAMark) {
  EXPECT_EQ(cell("abcd", 4), "abcd");
  EXPECT_EQ(cell("abcde", 4), "abcd…");
  EXPECT_EQ(cell("ä🔑€", 3), "ä🔑€");
  EXPECT_EQ(cell("ä🔑x", 2), "ä🔑…");
}

TEST(Cell, ShowsBytesThatAreNoTextInHexadecimal) {
  EXPECT_EQ(cell(std::string_view{"\xFF\0A", 3}, 100), "\\xff0041");
  for (const char* bad : {"\x80", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80",
                          "\xF0\x80\x80\x80", "\xE2\x82"}) {
    EXPECT_TRUE(cell(bad, 100).get<std::string>().starts_with("\\x")) << bad;
  }
  EXPECT_EQ(cell(std::string(500, '\xFF'), 10), "\\xffffffff…");
}

TEST(CellLimit, KeepsRowsAndPagesBelowWhatAHostTakes) {
  EXPECT_EQ(cell_limit(5, 50), 4096U);
  for (const size_t columns : {1U, 20U, 300U, 1600U}) {
    for (const int64_t rows : {1, 50, 200}) {
      const size_t limit = cell_limit(columns, rows);
      EXPECT_LE(limit * columns, 128U * 1024);
      EXPECT_LE(limit * columns * static_cast<size_t>(rows), 9U * 1024 * 1024);
      EXPECT_GE(limit, 16U);
    }
  }
}

}  // namespace
}  // namespace dbackup
