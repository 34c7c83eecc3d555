#include <fcntl.h>
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <dbackup/exec.hpp>
#include <fstream>
#include <future>
#include <thread>

#include "base/unique_fd.hpp"
#include "tests/unit/worker_ops/plugin_fixture.hpp"

namespace dbackup::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using SteadyClock = std::chrono::steady_clock;

/// One call, as a plugin has it.
class ExecService : public testing::Test {
 protected:
  ExecService() : context_{host::PluginLibrary::load(kProbe, loading_), journal_, cancel_} {
    ::signal(SIGPIPE, SIG_IGN);  // as the worker does
  }

  Exec exec() { return Exec{call_}; }
  std::string output_of(const std::vector<std::string>& argv, ProgramOptions options = {}) {
    return exec().run(argv, std::move(options)).output;
  }

  RecordingJournal loading_, journal_;
  host::CancelToken cancel_;
  host::CallContext context_;
  Call call_{context_.raw()};
};

TEST_F(ExecService, ReportsExitCodesAndSignals) {
  EXPECT_EQ(exec().run({"true"}).exit_code, 0);
  EXPECT_EQ(exec().run({"sh", "-c", "exit 7"}).exit_code, 7);
  const ExitStatus killed = exec().run({"sh", "-c", "kill -TERM $$"});
  EXPECT_EQ(killed.exit_code, -1);
  EXPECT_EQ(killed.signal, SIGTERM);
}

TEST_F(ExecService, PassesArgumentsUnchangedAndUsesNoShell) {
  EXPECT_EQ(output_of({"printf", "%s|", "a b", "$HOME", "`id`", "", "'\""}),
            "a b|$HOME|`id`||'\"|");
}

TEST_F(ExecService, NamesAProgramThatDoesNotExist) {
  try {
    exec().start({"no-such-program-anywhere"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::NotFound);
    EXPECT_THAT(error.what(), HasSubstr("no-such-program-anywhere"));
  }
  EXPECT_THROW(exec().which({"nope-1", "nope-2"}), Error);
  EXPECT_THAT(exec().which({"nope-1", "sh"}), HasSubstr("/sh"));
}

TEST_F(ExecService, RefusesAFileThatCannotBeExecuted) {
  TemporaryFolder folder;
  const std::string path = folder / "script";
  std::ofstream{path} << "\x7f"
                         "not a program";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  EXPECT_THROW(exec().start({path}), Error);
}

TEST_F(ExecService, StreamsALargeOutput) {
  Process tool = exec().start({"head", "-c", "50000000", "/dev/zero"});
  std::vector<std::byte> buffer(256 * 1024);
  size_t total = 0;
  while (const size_t n = tool.read(buffer)) total += n;
  EXPECT_EQ(total, 50'000'000U);
  EXPECT_TRUE(tool.wait().ok());
}

TEST_F(ExecService, FeedsTheInputAndCollectsAtTheSameTime) {
  Process tool = exec().start({"cat"}, {.input = true, .output = Output::Collect});
  const std::string block(3'000'000, 'x');  // more than the pipes hold, and more than is kept
  EXPECT_TRUE(tool.write(std::as_bytes(std::span{block})));
  tool.close_input();
  const ExitStatus end = tool.wait();
  EXPECT_TRUE(end.ok());
  EXPECT_EQ(end.output.size(), 1024U * 1024U);
}

TEST_F(ExecService, SaysWhenTheProgramClosedItsInput) {
  Process tool = exec().start({"true"}, {.input = true, .output = Output::Discard});
  const std::string block(4'000'000, 'x');
  bool open = true;
  while (open) open = tool.write(std::as_bytes(std::span{block}));
  EXPECT_TRUE(tool.wait().ok());
}

TEST_F(ExecService, KeepsTheEndOfTheErrorOutputAndLogsFiftyLines) {
  const ExitStatus end =
      exec().run({"sh", "-c", "for i in $(seq 1 5000); do echo line $i >&2; done; exit 3"});
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(end.errors.size(), 16U * 1024U);
  EXPECT_TRUE(end.errors.ends_with("line 5000\n"));
  ASSERT_EQ(journal_.lines().size(), 51U);
  EXPECT_EQ(journal_.lines().front(), "line 1");
  EXPECT_THAT(journal_.lines().back(), HasSubstr("4950"));
}

TEST_F(ExecService, DoesNotWaitForAGrandchildThatKeepsTheErrorOutput) {
  const auto begin = SteadyClock::now();
  EXPECT_TRUE(exec().run({"sh", "-c", "sleep 30 & exit 0"}).ok());
  EXPECT_LT(SteadyClock::now() - begin, std::chrono::seconds{10});
}

TEST_F(ExecService, EndsAStubbornProgramSoonAfterCancellation) {
  Process tool = exec().start({"sh", "-c", "trap '' TERM; echo ready; while :; do :; done"});
  std::byte byte[6];
  tool.read(byte);
  const auto begin = SteadyClock::now();
  auto blocked = std::async(std::launch::async, [&] {
    try {
      std::byte more[1];
      tool.read(more);
      return ErrorCode::Internal;
    } catch (const Error& error) {
      return error.code();
    }
  });
  cancel_.cancel(host::Error(host::ErrorCode::Cancelled, "cancelled"));
  EXPECT_EQ(blocked.get(), ErrorCode::Cancelled);
  try {
    tool.wait();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Cancelled);
  }
  EXPECT_LT(SteadyClock::now() - begin, std::chrono::seconds{1});
}

TEST_F(ExecService, HandsOnNoDescriptor) {
  const host::UniqueFd leaky{
      ::open("/dev/null", O_RDONLY)};  // not close-on-exec, as a library might
  std::string listed = output_of({"ls", "/proc/self/fd"});
  // 3 is ls's own, of the folder it lists.
  EXPECT_EQ(listed, "0\n1\n2\n3\n");
}

TEST_F(ExecService, GivesAShortEnvironment) {
  ::setenv("DBACKUP_ENCRYPTION_KEY", "must not be seen", 1);
  const std::string environment = output_of({"env"}, {.environment = {{"PGAPPNAME", "dbackup"}}});
  EXPECT_THAT(environment, HasSubstr("PGAPPNAME=dbackup\n"));
  EXPECT_THAT(environment, HasSubstr("LANG=C.UTF-8\n"));
  EXPECT_THAT(environment, HasSubstr("PATH="));
  EXPECT_THAT(environment, Not(HasSubstr("DBACKUP")));
  EXPECT_LE(std::count(environment.begin(), environment.end(), '\n'), 5);
}

TEST_F(ExecService, GivesDefaultSignalsBack) {
  const std::string status = output_of({"cat", "/proc/self/status"});
  EXPECT_THAT(status, HasSubstr("SigIgn:\t0000000000000000"));
  EXPECT_THAT(status, HasSubstr("SigBlk:\t0000000000000000"));
}

TEST_F(ExecService, ShowsASideFileToItsToolsOnlyAndOnlyWhileItLives) {
  std::string path;
  {
    const SideFile file = exec().side_file("host:5432:*:user:secret\n");
    path = file.path();
    EXPECT_EQ(output_of({"cat", path}), "host:5432:*:user:secret\n");
    EXPECT_EQ(output_of({"stat", "-L", "-c", "%a", path}), "600\n");
    EXPECT_THAT(output_of({"sh", "-c", "cat /proc/$$/cmdline /proc/$$/environ"}),
                Not(HasSubstr("secret")));
  }
  EXPECT_FALSE(exec().run({"cat", path}).ok());
}

TEST_F(ExecService, EndsWhatAPluginForgot) {
  void* handle = nullptr;
  const auto* table =
      static_cast<const dbackup_host_exec*>(call_.host_extension(DBACKUP_EXT_HOST_EXEC));
  ASSERT_EQ(table->start(context_.raw()->ctx,
                         borrow(R"({"argv":["sh","-c","echo $$; exec sleep 600"]})"), &handle),
            DBACKUP_OK);
  char number[32] = {};
  ASSERT_GT(table->read(handle, number, sizeof number), 0);
  context_.finish(DBACKUP_OK);
  EXPECT_NE(::kill(std::atoi(number), 0), 0);
}

TEST_F(ExecService, RefusesRequestsThatMakeNoSense) {
  const auto* table =
      static_cast<const dbackup_host_exec*>(call_.host_extension(DBACKUP_EXT_HOST_EXEC));
  for (const char* request :
       {"", "[]", "{}", R"({"argv":[]})", R"({"argv":[1]})", R"({"argv":["a\u0000b"]})",
        R"({"argv":["true"],"env":{"A=B":"x"}})", R"({"argv":["true"],"stdout":"what"})"}) {
    void* handle = &handle;
    EXPECT_EQ(table->start(context_.raw()->ctx, borrow(request), &handle), DBACKUP_INVALID_ARGUMENT)
        << request;
    EXPECT_EQ(handle, nullptr);
  }
}

TEST_F(ExecService, ReachesEndpointsDirectly) {
  const Endpoint endpoint = reach(call_, "db.example", 5432);
  EXPECT_EQ(endpoint.host(), "db.example");
  EXPECT_EQ(endpoint.port(), 5432);
}

}  // namespace
}  // namespace dbackup::test
