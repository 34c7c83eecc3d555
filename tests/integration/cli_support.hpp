#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dbackup::testing {

/// A folder of one test, removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  std::string operator/(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

struct ProgramResult {
  int exit_code = -1;  ///< 128 + signal when it was killed
  std::string out, err;
};

struct ProgramInput {
  std::string stdin_file = "/dev/null";
  std::map<std::string, std::string> environment = {};  ///< added to a minimal one
};

/// Runs a program to its end with exactly these arguments. The environment holds PATH, HOME and what is
/// asked for, never the caller's own DBACKUP_ settings.
ProgramResult run_program(const std::vector<std::string>& argv, const ProgramInput& input = {});

/// The dbackup binary of this build with these arguments.
ProgramResult dbackup(std::vector<std::string> arguments, const ProgramInput& input = {});

/// A shell pipeline that must succeed; throws std::runtime_error with its words when it does not.
std::string shell(const std::string& command);

std::string read_file(const std::string& path);
void write_file(const std::string& path, std::string_view content);

}  // namespace dbackup::testing
