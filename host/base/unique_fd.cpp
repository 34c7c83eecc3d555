#include "base/unique_fd.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>

#include "base/error.hpp"

namespace dbackup::host {

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno(errno, "cannot make a pipe");
  return {UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

}  // namespace dbackup::host
