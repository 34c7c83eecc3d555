#include "worker/ssh/command_line.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <random>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "tests/support/worker/test_files.hpp"

namespace dbackup::host::ssh {
namespace {

using testing::HasSubstr;

/// What a shell makes of a command line: its standard output and exit code.
std::pair<std::string, int> shell(const std::string& line) {
  FILE* out = ::popen(line.c_str(), "r");  // sh -c, as an SSH server does with the login shell
  std::string text;
  std::array<char, 4096> block;
  while (const size_t n = std::fread(block.data(), 1, block.size(), out))
    text.append(block.data(), n);
  const int status = ::pclose(out);
  return {text, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

/// Runs a program by its remote command line under a login shell, with an input that stays open
/// meanwhile and a process group of its own, as an SSH server does; its own output.
std::string run(const std::vector<std::string>& argv,
                const std::map<std::string, std::string>& environment = {},
                const std::string& login_shell = "sh") {
  const Pipe input = make_pipe();
  const std::string number = std::to_string(input.read_end.get());
  const std::string ours = "/proc/" + std::to_string(::getpid()) + "/fd/" + number;
  const std::string text = shell("setsid -w " + login_shell + " -c " +
                                 quote(program_command(argv, environment)) + " <" + ours)
                               .first;
  EXPECT_TRUE(text.starts_with(kReady)) << login_shell << ": " << text;
  return text.substr(std::min(text.size(), kReady.size()));
}

TEST(CommandLine, QuotesEveryWordSoThatAShellReadsItBack) {
  for (const std::string word :
       {"",  "plain", "a b", "'",    "''",   "a'b\"c", "$HOME", "`id`", "\\",         "\\'",
        "*", "~",     "-n",  "a\nb", "a\tb", "!",      "#",     "ä€",   "; rm -rf /", "&&"}) {
    EXPECT_EQ(shell("printf %s " + quote(word)).first, word);
  }
}

TEST(CommandLine, QuotesRandomBytesSoThatAShellReadsThemBack) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random{seed};
  std::string all = "printf %s";
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    std::string word;
    for (auto n = random() % 30; n > 0; --n) word += static_cast<char>(1 + random() % 255);
    all += " " + quote(word);
    expected += word;
  }
  EXPECT_EQ(shell(all).first, expected) << "seed " << seed;
}

TEST(CommandLine, RefusesWhatNoShellCanCarry) {
  EXPECT_THROW(quote(std::string{"a\0b", 3}), Error);
  EXPECT_THROW(program_command({}, {}), Error);
  EXPECT_THROW(program_command({""}, {}), Error);
  EXPECT_THROW(program_command({"-c"}, {}), Error);
  for (const std::string name : {"", "A=B", "1A", "A B", "A;B", "Ä"}) {
    EXPECT_THROW(program_command({"true"}, {{name, "x"}}), Error) << name;
  }
}

TEST(CommandLine, CarriesArgumentsAndEnvironmentUnchanged) {
  EXPECT_EQ(run({"printf", "%s|", "a b", "$HOME", "`id`", "", "'\"", "x\ny"}),
            "a b|$HOME|`id`||'\"|x\ny|");
  EXPECT_EQ(run({"sh", "-c", "printf %s \"$A$_b2\""}, {{"A", "it's $A\n"}, {"_b2", "\\"}}),
            "it's $A\n\\");
}

TEST(CommandLine, CarriesEveryByteUnderEveryLoginShell) {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  const std::string escapes = R"(x\' ; touch /tmp/owned ; echo \'\\' !! !1 %s "$HOME" `id`)"
                              "\n";
  for (const char* login_shell : {"sh", "bash", "fish", "tcsh"}) {
    EXPECT_EQ(run({"printf", "%s", all}, {}, login_shell), all) << login_shell;
    EXPECT_EQ(run({"printf", "%s|", escapes, "", "-n"}, {}, login_shell), escapes + "||-n|")
        << login_shell;
    EXPECT_EQ(run({"sh", "-c", "printf %s \"$A\""}, {{"A", all}}, login_shell), all) << login_shell;
  }
}

TEST(CommandLine, IsOneLineOfPrintableCharacters) {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  const std::string line = program_command({"printf", all}, {{"A", all}});
  EXPECT_TRUE(std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; }));
  EXPECT_EQ(line.find_first_of("!%"), line.find("%s"));  // neither
  for (size_t at = line.find('\\'); at != std::string::npos; at = line.find('\\', at + 1)) {
    EXPECT_THAT("01234567", HasSubstr(line.substr(at + 1, 1)));
  }
}

TEST(CommandLine, CarriesLongArgumentsAndNamesAProgramWithLongerOnes) {
  const std::string longest(120'000, 'x');
  for (const char* login_shell : {"sh", "fish", "tcsh"}) {
    EXPECT_EQ(run({"printf", "%s", longest}, {}, login_shell), longest) << login_shell;
  }
  try {
    program_command({"psql", std::string(40'000, '\'')}, {});
    ADD_FAILURE() << "more than a shell can be given";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr("psql"));
  }
}

TEST(CommandLine, EndsNothingButTheProgramWhereTheServerGivesItNoGroup) {
  const test::TemporaryFolder folder;
  const std::string base = folder / "f1";
  const std::vector<std::string> forever{"sleep", "600"};
  const std::string fifo = quote(base + ".ok");
  // The group's leader is the outer shell, as the connection's process is Dropbear's.
  for (const std::string& outer :
       {"(" + program_command(forever, {}) + ") </dev/null; echo survived",
        "(" + fed_program_command(forever, {}, base) + ") </dev/null & until [ -p " + fifo +
            " ]; do :; done; exec 8<>" + fifo + "; echo 1 >&8; wait; echo survived"}) {
    EXPECT_THAT(shell("setsid -w sh -c " + quote(outer)).first, testing::EndsWith("survived\n"));
  }
}

TEST(CommandLine, RemovesTheKeepersFolderWhenNobodyReadsItsAnswers) {
  const test::TemporaryFolder folder;
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  const std::string keeper = "TMPDIR=" + quote(folder.path()) +
                             " env --default-signal=PIPE sh -c " + quote(keeper_command()) +
                             " | head -n 2 >/dev/null";
  FILE* orders = ::popen(keeper.c_str(), "w");
  while (std::fputs("file f1 secret\n", orders) >= 0 && std::fflush(orders) == 0) {
  }
  ::pclose(orders);
  ::signal(SIGPIPE, before);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(CommandLine, SaysThatAProgramIsMissing) {
  const auto [text, code] = shell("true | " + program_command({"no-such-program-anywhere"}, {}));
  EXPECT_EQ(text, kMissing);
  EXPECT_EQ(code, 127);
  EXPECT_EQ(shell("true | " + program_command({"/etc"}, {})).first, kMissing);
  EXPECT_EQ(shell("true | " + program_command({"/no/such/file"}, {})).first, kMissing);
}

TEST(CommandLine, EscapesContentForPrintf) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(shell("printf '%b' " + quote(escape_for_printf(all))).first, all);
  EXPECT_EQ(escape_for_printf(all).find_first_of(" \n'%"), std::string::npos);
}

TEST(CommandLine, FindsTheFirstProgramThatCanBeRun) {
  std::string line;
  for (const std::string& word : which_argv({"no-such-1", "/etc", "sh", "ls"}))
    line += quote(word) + " ";
  EXPECT_THAT(shell(line).first, HasSubstr("/sh\n"));
}

}  // namespace
}  // namespace dbackup::host::ssh
