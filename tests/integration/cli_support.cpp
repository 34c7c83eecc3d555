#include "tests/integration/cli_support.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include "tests/support/paths.hpp"

namespace dbackup::testing {
namespace {

[[noreturn]] void exec_child(char* const* argv, char* const* environment, const std::string& in,
                             const std::string& out, const std::string& err) {
  const int streams[] = {::open(in.c_str(), O_RDONLY), ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600),
                         ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600)};
  for (int i = 0; i < 3; ++i) {
    if (streams[i] < 0 || ::dup2(streams[i], i) < 0) ::_exit(126);
  }
  for (const int fd : streams) {
    if (fd > 2) ::close(fd);
  }
  ::execvpe(argv[0], argv, environment);
  ::_exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "dbackup-cli-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

ProgramResult run_program(const std::vector<std::string>& argv, const ProgramInput& input) {
  const TemporaryFolder folder;
  std::vector<std::string> arguments = argv;
  std::vector<std::string> environment{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + folder.path().string(),
                                       "LC_ALL=C.UTF-8"};
  for (const auto& [name, value] : input.environment) environment.push_back(name + "=" + value);
  const auto argument_pointers = pointers(arguments);
  const auto environment_pointers = pointers(environment);
  const std::string out = folder / "out";
  const std::string err = folder / "err";
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid == 0) exec_child(argument_pointers.data(), environment_pointers.data(), input.stdin_file, out, err);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) throw std::runtime_error("waitpid failed");
  }
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          .out = read_file(out),
          .err = read_file(err)};
}

ProgramResult dbackup(std::vector<std::string> arguments, const ProgramInput& input) {
  arguments.insert(arguments.begin(), ::dbackup::test::binary_dir() + "/bin/dbackup");
  return run_program(arguments, input);
}

std::string shell(const std::string& command) {
  const ProgramResult result = run_program({"bash", "-euo", "pipefail", "-c", command});
  if (result.exit_code != 0) throw std::runtime_error(command + ": " + result.err);
  return result.out;
}

std::string read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>{in}, {}};
}

void write_file(const std::string& path, std::string_view content) {
  std::ofstream out{path, std::ios::binary | std::ios::trunc};
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace dbackup::testing
