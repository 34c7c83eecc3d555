#include <gtest/gtest.h>

#include "plugins/ftp/listing.hpp"

namespace dbackup::ftp {
namespace {

using Kind = plugins::RemoteEntry::Kind;

constexpr int64_t kNow = 1'795'817'400;  // 2026-11-27 22:10:00 UTC

TEST(FtpListing, ReadsFactsInAnyOrderAndNamesAsTheyAre) {
  const auto file =
      parse_facts("modify=20261127221000.123;Size=42;TYPE=file;  two blanks; x=y.sql\r");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->name, " two blanks; x=y.sql");
  EXPECT_EQ(file->kind, Kind::File);
  EXPECT_EQ(file->size, 42U);
  EXPECT_EQ(file->modified_ms, kNow * 1000);
  EXPECT_EQ(parse_facts("type=dir; a")->kind, Kind::Folder);
  EXPECT_EQ(parse_facts("type=OS.unix=slink:/etc; a")->kind, Kind::Link);
  EXPECT_EQ(parse_facts("size=3; a")->kind, Kind::File);
  EXPECT_EQ(parse_facts("size=3;type=dir; a")->kind, Kind::Folder);
  EXPECT_FALSE(parse_facts("type=cdir; ."));
  EXPECT_FALSE(parse_facts("type=pdir; .."));
  EXPECT_FALSE(parse_facts("garbage"));
  EXPECT_FALSE(parse_facts(""));
}

TEST(FtpListing, ReadsTheLinesOfUnixServers) {
  const auto file =
      parse_list_line("-rw-r--r--   1 me  my group  1234 Nov 27 22:10  a b.sql\r\n", kNow);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->name, " a b.sql");
  EXPECT_EQ(file->size, 1234U);
  EXPECT_EQ(file->modified_ms, kNow * 1000);
  EXPECT_EQ(parse_list_line("drwxr-xr-x 2 0 0 4096 Jan 01  2025 job", kNow)->kind, Kind::Folder);
  const auto link = parse_list_line("lrwxrwxrwx 1 0 0 4 Jan 01  2025 a -> /etc", kNow);
  ASSERT_TRUE(link);
  EXPECT_EQ(link->kind, Kind::Link);
  EXPECT_EQ(link->name, "a");
  const auto iso = parse_list_line("-rw-r--r-- 1 me us 42 2026-11-27 22:10 a b.sql", kNow);
  ASSERT_TRUE(iso);
  EXPECT_EQ(iso->name, "a b.sql");
  EXPECT_EQ(iso->size, 42U);
  EXPECT_EQ(iso->modified_ms, kNow * 1000);
}

TEST(FtpListing, TellsLinesWithoutAnEntryFromThoseItCannotRead) {
  for (const char* line : {"", "\r\n", "total 8", "insgesamt 12\r", "  "}) {
    EXPECT_TRUE(says_nothing(line)) << line;
    EXPECT_FALSE(parse_list_line(line, kNow)) << line;
  }
  for (const char* line : {"-rw-r--r-- 1 me us 42 M\xC3\xA4r 27 22:10 a.sql", "a.sql", "-rw-r--r--"}) {
    EXPECT_FALSE(says_nothing(line)) << line;
    EXPECT_FALSE(parse_list_line(line, kNow)) << line;
  }
}

TEST(FtpListing, TakesALineWithoutAYearForTheLastTwelveMonths) {
  EXPECT_EQ(parse_list_line("-rw-r--r-- 1 0 0 4 Dec 24 10:00 a", kNow)->modified_ms,
            1'766'570'400'000);  // 2025-12-24
}

TEST(FtpListing, ReadsTheLinesOfDosServers) {
  const auto file = parse_list_line("11-27-26  10:10PM                 1234 a b.sql\r", kNow);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->name, "a b.sql");
  EXPECT_EQ(file->size, 1234U);
  EXPECT_EQ(file->modified_ms, kNow * 1000);
  const auto folder = parse_list_line("11-27-2026  22:10       <DIR>          my job", kNow);
  ASSERT_TRUE(folder);
  EXPECT_EQ(folder->kind, Kind::Folder);
  EXPECT_EQ(folder->name, "my job");
}

TEST(FtpListing, PrefersTheTimeInANameToThatOfALine) {
  EXPECT_EQ(time_in_name("shop_2024-02-29_23-59-58.sql"), 1'709'251'198'000);
  EXPECT_EQ(time_in_name("shop 2024-02-29.sql"), 1'709'208'000'000);
  EXPECT_FALSE(time_in_name("shop_2024-13-29.sql"));
  EXPECT_FALSE(time_in_name("2024-02"));
  EXPECT_EQ(
      parse_list_line("-rw-r--r-- 1 0 0 4 Dec 24 10:00 a_2024-02-29_23-59-58", kNow)->modified_ms,
      1'709'251'198'000);
}

}  // namespace
}  // namespace dbackup::ftp
