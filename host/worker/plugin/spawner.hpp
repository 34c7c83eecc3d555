#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/unique_fd.hpp"

namespace dbackup::host {

/// One program to start, with everything decided: nothing is searched or inherited implicitly.
struct SpawnOrder {
  std::string program;                       ///< path of the file
  std::vector<std::string> arguments;        ///< argv, the name included
  std::vector<std::string> environment;      ///< "NAME=value": the whole environment
  int input = -1, output = -1, errors = -1;  ///< become 0, 1, 2; numbers above 2, stay the caller's
  std::vector<int> inherited;                ///< stay open under their own numbers
};

struct SpawnedProgram {
  pid_t pid = -1;
  UniqueFd pidfd;
};

/// Starts a program in the worker's process group. It is killed when the worker ends. Throws Error
/// when it cannot be executed. [any thread]
SpawnedProgram spawn(const SpawnOrder& order);

/// Remembers the address-space limit that programs get, before the worker lowers its own.
void keep_address_space_limit_for_programs();

/// The file that `name` stands for: itself with a slash, else the first executable one of the
/// folders in `search_path` ("a:b"). Empty when there is none.
std::string find_program(const std::string& name, const std::string& search_path);

}  // namespace dbackup::host
