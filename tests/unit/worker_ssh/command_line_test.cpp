#include "worker/ssh/command_line.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <random>

#include "base/error.hpp"

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

/// Runs a program by its remote command line, with an input that stays open meanwhile and a process
/// group of its own, as an SSH server does; its own output.
std::string run(const std::vector<std::string>& argv,
                const std::map<std::string, std::string>& environment = {}) {
  const std::string text =
      shell("sleep 3 | setsid -w sh -c " + quote(program_command(argv, environment))).first;
  EXPECT_TRUE(text.starts_with(kReady)) << text;
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
