#include <poll.h>
#include <sys/stat.h>

#include <fstream>
#include <future>

#include "tests/unit/worker_ssh/ssh_fixture.hpp"

namespace dbackup::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using SteadyClock = std::chrono::steady_clock;

class SshExec : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new testing::SshServer; }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  /// Waits until something comes true; false after ten seconds.
  static bool eventually(const std::function<bool()>& condition) {
    const auto until = SteadyClock::now() + std::chrono::seconds{10};
    while (SteadyClock::now() < until) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return condition();
  }

  /// The dd that writes into a fifo below `folder`; 0 when there is none.
  static pid_t feeder_in(const std::filesystem::path& folder) {
    for (const auto& process : std::filesystem::directory_iterator{"/proc"}) {
      std::error_code none;
      const auto output = std::filesystem::read_symlink(process.path() / "fd/1", none);
      if (none || !output.string().starts_with(folder.string())) continue;
      const auto program = std::filesystem::read_symlink(process.path() / "exe", none);
      if (program.filename() == "dd") return std::stoi(process.path().filename());
    }
    return 0;
  }

  inline static testing::SshServer* server_ = nullptr;
  SshCall there_{key_login(*server_)};
  Exec exec() { return there_.exec(); }
};

TEST_F(SshExec, ReportsExitCodesAndSignals) {
  EXPECT_EQ(exec().run({"true"}).exit_code, 0);
  EXPECT_EQ(exec().run({"sh", "-c", "exit 7"}).exit_code, 7);
  EXPECT_EQ(exec().run({"sh", "-c", "exit 143"}).exit_code, 143);
  const ExitStatus killed = exec().run({"sh", "-c", "kill -TERM $$"});
  EXPECT_EQ(killed.exit_code, -1);
  EXPECT_EQ(killed.signal, SIGTERM);
  EXPECT_EQ(server_->connections(), 1U);
}

TEST_F(SshExec, PassesArgumentsUnchanged) {
  EXPECT_EQ(there_.output_of({"printf", "%s|", "a b", "$HOME", "`id`", "", "'\""}),
            "a b|$HOME|`id`||'\"|");
  EXPECT_EQ(there_.output_of({"sh", "-c", "printf %s \"$A\""}, {.environment = {{"A", "it's"}}}),
            "it's");
}

TEST_F(SshExec, RunsAsOnThisMachineWhenInputIsGiven) {
  Process cat = exec().start({"cat"}, {.input = true, .output = Output::Collect});
  EXPECT_TRUE(cat.write(std::as_bytes(std::span{"one two", 7})));
  cat.close_input();
  const ExitStatus end = cat.wait();
  EXPECT_TRUE(end.ok()) << end.errors;
  EXPECT_EQ(end.output, "one two");
}

TEST_F(SshExec, NamesAProgramThatDoesNotExist) {
  for (const char* name : {"no-such-program-anywhere", "/no/such/program"}) {
    try {
      exec().start({name});
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::NotFound);
      EXPECT_THAT(error.what(), HasSubstr(name));
    }
  }
  EXPECT_THROW(exec().which({"nope-1", "nope-2"}), Error);
  EXPECT_THAT(exec().which({"nope-1", "sh"}), HasSubstr("/sh"));
}

TEST_F(SshExec, SeparatesTheErrorOutput) {
  const ExitStatus end = exec().run({"sh", "-c", "echo out; echo one two >&2; exit 3"});
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(end.output, "out\n");
  EXPECT_EQ(end.errors, "one two\n");
  EXPECT_THAT(there_.journal.lines(), ::testing::Contains("one two"));
}

TEST_F(SshExec, StreamsBothWaysAtTheSameTimeWithoutLosingAByte) {
  constexpr size_t kTotal = 64 * 1024 * 1024;
  Process cat = exec().start({"cat"}, {.input = true});
  auto writing = std::async(std::launch::async, [&] {
    std::vector<std::byte> block(100'000);
    for (size_t done = 0; done < kTotal;) {
      const size_t n = std::min(block.size(), kTotal - done);
      for (size_t i = 0; i < n; ++i)
        block[i] = static_cast<std::byte>((done + i) * 2654435761U >> 24);
      if (!cat.write(std::span{block}.first(n))) return false;
      done += n;
    }
    cat.close_input();
    return true;
  });
  std::vector<std::byte> block(256 * 1024);
  size_t total = 0;
  bool same = true;
  while (const size_t n = cat.read(block)) {
    for (size_t i = 0; i < n; ++i) {
      same = same && block[i] == static_cast<std::byte>((total + i) * 2654435761U >> 24);
    }
    total += n;
  }
  EXPECT_TRUE(writing.get());
  EXPECT_EQ(total, kTotal);
  EXPECT_TRUE(same);
  EXPECT_TRUE(cat.wait().ok());
}

TEST_F(SshExec, SaysWhenTheProgramClosedItsInput) {
  Process tool = exec().start({"true"}, {.input = true, .output = Output::Discard});
  const std::string block(4'000'000, 'x');
  bool open = true;
  while (open) open = tool.write(std::as_bytes(std::span{block}));
  EXPECT_TRUE(tool.wait().ok());
}

TEST_F(SshExec, KeepsSideFilesPrivateAndRemovesThem) {
  std::string content = "pass'word\n\\ $HOME %s\x01";
  content += '\0';
  std::string path;
  {
    const SideFile file = exec().side_file(content);
    path = file.path();
    EXPECT_EQ(there_.output_of({"cat", path}), content);
    EXPECT_EQ(there_.output_of({"stat", "-c", "%a", path}), "600\n");
    EXPECT_EQ(there_.output_of({"stat", "-c", "%a", path.substr(0, path.rfind('/'))}), "700\n");
  }
  EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(path); }));
}

TEST_F(SshExec, FillsAndFetchesStagingFiles) {
  Exec there = exec();
  StagingFile file = there.staging_file(".db");
  EXPECT_THAT(file.path(), ::testing::EndsWith(".db"));
  EXPECT_EQ(file.size(), 0U);
  Process fill = there.start({"dd", "of=" + file.path(), "status=none"}, {.input = true});
  EXPECT_TRUE(fill.write(std::as_bytes(std::span{"12345", 5})));
  fill.close_input();
  EXPECT_TRUE(fill.wait().ok());
  EXPECT_EQ(file.size(), 5U);
  EXPECT_EQ(there_.output_of({"cat", file.path()}), "12345");
}

TEST_F(SshExec, LeavesNothingWhenTheConnectionIsCut) {
  const SideFile file = exec().side_file("secret");
  const std::string folder = file.path().substr(0, file.path().rfind('/'));
  Process quiet = exec().start({"sh", "-c", "echo $$; exec sleep 600"});
  Process fed = exec().start({"sh", "-c", "echo $$; exec sleep 600"}, {.input = true});
  std::vector<pid_t> pids;
  for (Process* process : {&quiet, &fed}) {
    std::array<std::byte, 32> text{};
    const size_t n = process->read(text);
    pids.push_back(std::atoi(std::string(reinterpret_cast<const char*>(text.data()), n).c_str()));
  }
  ASSERT_GT(server_->kill_connections(), 0U);
  EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(folder); }));
  for (const pid_t pid : pids) {
    EXPECT_TRUE(eventually([&] { return ::kill(pid, 0) != 0; })) << pid;
  }
}

TEST_F(SshExec, NeverTakesACutConnectionForAnEndOfFile) {
  Process tool = exec().start({"sh", "-c", "while :; do echo line; done"});
  std::vector<std::byte> block(64 * 1024);
  ASSERT_GT(tool.read(block), 0U);
  ASSERT_GT(server_->kill_connections(), 0U);
  try {
    while (tool.read(block) > 0) {
    }
    ADD_FAILURE() << "an end of file";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
  }
  EXPECT_THROW(tool.wait(), Error);
}

TEST_F(SshExec, NeverLetsAProgramTakeACutConnectionForTheEndOfItsInput) {
  const std::string target = (server_->folder() / "restored").string();
  Process tool =
      exec().start({"sh", "-c", "cat >\"$1.part\" && mv \"$1.part\" \"$1\"", "x", target},
                   {.input = true, .output = Output::Discard});
  const std::string block(300'000, 'x');
  ASSERT_TRUE(tool.write(std::as_bytes(std::span{block})));
  ASSERT_TRUE(eventually([&] {
    std::error_code none;
    return std::filesystem::file_size(target + ".part", none) == block.size();
  }));
  ASSERT_GT(server_->kill_connections(), 0U);
  EXPECT_THROW(tool.wait(), Error);
  EXPECT_FALSE(std::filesystem::exists(target));
}

TEST_F(SshExec, NeverLetsAProgramTakeTheEndOfItsFeederForTheEndOfItsInput) {
  const std::string target = (server_->folder() / "restored in part").string();
  Process tool =
      exec().start({"sh", "-c", "cat >\"$1.part\" && mv \"$1.part\" \"$1\"", "x", target},
                   {.input = true, .output = Output::Discard});
  const std::string block(300'000, 'x');
  ASSERT_TRUE(tool.write(std::as_bytes(std::span{block})));
  pid_t feeder = 0;
  ASSERT_TRUE(eventually([&] {
    feeder = feeder_in(server_->temporary_folder());
    std::error_code none;
    return feeder != 0 && std::filesystem::file_size(target + ".part", none) == block.size();
  }));
  ASSERT_EQ(::kill(feeder, SIGKILL), 0);
  tool.close_input();
  EXPECT_FALSE(tool.wait().ok());
  EXPECT_FALSE(std::filesystem::exists(target));
}

TEST_F(SshExec, EndsAStubbornProgramSoonAfterCancellation) {
  for (const bool fed : {false, true}) {
    SshCall there{key_login(*server_)};
    Process tool = there.exec().start({"sh", "-c", "trap '' TERM; echo $$; while :; do :; done"},
                                      {.input = fed});
    std::array<std::byte, 32> text{};
    const size_t n = tool.read(text);
    const pid_t pid = std::atoi(std::string(reinterpret_cast<const char*>(text.data()), n).c_str());
    const auto begin = SteadyClock::now();
    there.cancel.cancel(host::Error(host::ErrorCode::Cancelled, "cancelled"));
    EXPECT_THROW(tool.read(text), Error);
    EXPECT_THROW(tool.wait(), Error);
    EXPECT_LT(SteadyClock::now() - begin, std::chrono::seconds{3});
    EXPECT_TRUE(eventually([&] { return ::kill(pid, 0) != 0; }));
  }
}

TEST_F(SshExec, EndsWhatIsReleased) {
  pid_t pid = 0;
  {
    Process tool = exec().start({"sh", "-c", "echo $$; exec sleep 600"});
    std::array<std::byte, 32> text{};
    const size_t n = tool.read(text);
    pid = std::atoi(std::string(reinterpret_cast<const char*>(text.data()), n).c_str());
  }
  EXPECT_TRUE(eventually([&] { return ::kill(pid, 0) != 0; }));
}

TEST_F(SshExec, LetsTheFifthProgramWaitForAPlace) {
  std::vector<Process> running;
  for (int i = 0; i < 4; ++i) running.push_back(exec().start({"sh", "-c", "echo; exec sleep 600"}));
  auto fifth = std::async(std::launch::async, [&] { return there_.output_of({"echo", "five"}); });
  EXPECT_EQ(fifth.wait_for(std::chrono::milliseconds{300}), std::future_status::timeout);
  running.pop_back();
  EXPECT_EQ(fifth.get(), "five\n");
}

TEST_F(SshExec, OpensASubsystem) {
  Process sftp = exec().start_subsystem("sftp");
  const std::string hello{"\0\0\0\5\1\0\0\0\3", 9};  // SSH_FXP_INIT, version 3
  EXPECT_TRUE(sftp.write(std::as_bytes(std::span{hello})));
  std::array<std::byte, 5> answer{};
  size_t got = 0;
  while (got < answer.size()) got += sftp.read(std::span{answer}.subspan(got));
  EXPECT_EQ(answer[4], std::byte{2});  // SSH_FXP_VERSION
  EXPECT_THROW(exec().start_subsystem("no-such-subsystem"), Error);
}

TEST_F(SshExec, DialsThroughTheServer) {
  const Endpoint there = reach(there_.call, "127.0.0.1", server_->port());
  EXPECT_NE(there.port(), server_->port());
  host::CancelToken never;
  const host::ssh::Patience patience{never, std::chrono::seconds{5}, "dial"};
  const host::UniqueFd fd = host::ssh::dial(there.host(), there.port(), patience);
  std::array<char, 4> banner{};
  size_t got = 0;
  while (got < banner.size()) {
    patience.wait(fd.get(), POLLIN);
    const ssize_t n = ::read(fd.get(), banner.data() + got, banner.size() - got);
    if (n > 0) got += static_cast<size_t>(n);
    if (n == 0) break;
  }
  EXPECT_EQ(std::string(banner.data(), got), "SSH-");
}

}  // namespace
}  // namespace dbackup::test
