#include "worker/plugin/side_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

namespace dbackup::host {
namespace {

// Far from the numbers that a tool's own files get, so that it is not closed or replaced by
// accident.
constexpr int kLowestNumber = 100;

}  // namespace

SideFile::SideFile(CallContext& call, std::string_view content) : call_{call} {
  const UniqueFd memory{::memfd_create("dbackup-side-file", MFD_CLOEXEC)};
  if (!memory) throw_errno(errno, "cannot make a side file");
  if (::fchmod(memory.get(), S_IRUSR | S_IWUSR) != 0) throw_errno(errno, "cannot make a side file");
  while (!content.empty()) {
    const ssize_t n = ::write(memory.get(), content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw_errno(errno, "cannot fill a side file");
    content.remove_prefix(static_cast<size_t>(n));
  }
  file_.reset(::fcntl(memory.get(), F_DUPFD_CLOEXEC, kLowestNumber));
  if (!file_) throw_errno(errno, "cannot make a side file");
  path_ = "/proc/self/fd/" + std::to_string(file_.get());
}

}  // namespace dbackup::host
