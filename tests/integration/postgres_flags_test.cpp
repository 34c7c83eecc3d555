#include <gtest/gtest.h>

#include "plugins/common/tool_words.hpp"
#include "plugins/postgres/tool_flags.hpp"

namespace dbackup::postgres {
namespace {

ErrorCode refusal(const std::string& flags) {
  try {
    check_dump_flags(split_tool_words(flags, "options"));
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode{};
}

TEST(PostgresFlags, GroupByQuotesAndKeepEmptyWords) {
  EXPECT_EQ(split_tool_words("  -t 'a b'\t--x=\"c d\"e '' \"it's\" ", "options"),
            (std::vector<std::string>{"-t", "a b", "--x=c de", "", "it's"}));
  EXPECT_TRUE(split_tool_words("", "options").empty());
  EXPECT_THROW(split_tool_words("-t 'open", "options"), Error);
}

TEST(PostgresFlags, ThatChangeOutputOrConnectionAreRefused) {
  for (const char* flags : {"-f x",      "-fx",          "--file=x",   "--file x",
                            "--fil=x",   "-F p",         "-Fp",        "--format=plain",
                            "--form p",  "-d other",     "--dbname=x", "--db x",
                            "-h other",  "--host=x",     "-p 1",       "--port 1",
                            "-U root",   "--username=x", "-W",         "--password",
                            "-j 4",      "--jobs=4",     "-vf x",      "-vOfx",
                            "--version", "-V",           "--help",     "-?",
                            "--",        "-xd other",    "--d=other"}) {
    EXPECT_EQ(refusal(flags), ErrorCode::InvalidArgument) << flags;
  }
}

TEST(PostgresFlags, ThatChooseWhatIsDumpedAreAllowed) {
  for (const char* flags : {"--no-owner", "-n public", "-nfoo", "--exclude-table-data='log*'",
                            "-T 'a f'", "-vO", "--data-only", "--verbose", "--no-password", "-w",
                            "--lock-wait-timeout=5s", "-Z 3", "-Eutf8", "--inserts"}) {
    EXPECT_EQ(refusal(flags), ErrorCode{}) << flags;
  }
}

TEST(PostgresFlags, OfARestoreComeFromAShortList) {
  EXPECT_NO_THROW(check_restore_flags({"--no-comments", "--no-security-labels"}));
  for (const char* flag :
       {"-t", "--table=x", "--data-only", "-d", "--no-comment", "-L", "--section=data"}) {
    EXPECT_THROW(check_restore_flags({flag}), Error) << flag;
  }
}

TEST(PostgresPasswordLine, EscapesWhatThePasswordFileGivesAMeaning) {
  EXPECT_EQ(password_line("a:b\\c#'\" ü"), "*:*:*:*:a\\:b\\\\c#'\" ü\n");
  EXPECT_THROW(password_line("a\nb"), Error);
  EXPECT_THROW(password_line(std::string{"a\0b", 3}), Error);
}

TEST(PostgresConninfo, QuotesValuesSoThatANameStaysAName) {
  EXPECT_EQ(conninfo_pair("dbname", "it's \\ host=evil"), "dbname='it\\'s \\\\ host=evil'");
}

TEST(PostgresCompression, FollowsTheJobThenTheHost) {
  using Flags = std::vector<std::string>;
  EXPECT_EQ(compression_flags("", true).flags, Flags{"-Z0"});
  EXPECT_EQ(compression_flags("", false).flags, Flags{});
  EXPECT_TRUE(compression_flags("", false).compresses);
  EXPECT_EQ(compression_flags("NONE", false).flags, Flags{"-Z0"});
  EXPECT_EQ(compression_flags("GZIP:1", true).flags, Flags{"-Z1"});
  EXPECT_FALSE(compression_flags("GZIP:0", true).compresses);
  EXPECT_EQ(compression_flags("LZ4:9", true).flags, Flags{"--compress=lz4:9"});
  EXPECT_EQ(compression_flags("ZSTD:3", true).needs_major, 16);
  for (const char* bad :
       {"gzip", "GZIP:10", "GZIP:", "GZIP:x", "NONE:1", "ZSTD:-1", "XZ:3", "ZSTD:3;x"}) {
    EXPECT_THROW(compression_flags(bad, true), Error) << bad;
  }
}

TEST(PostgresToolVersion, IsReadFromTheToolsOwnLine) {
  EXPECT_EQ(major_version("pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n"), 15);
  EXPECT_EQ(major_version("pg_dump (PostgreSQL) 17beta1\n"), 17);
  EXPECT_EQ(major_version("something else"), 0);
}

}  // namespace
}  // namespace dbackup::postgres
