#include "worker/plugin/side_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>

namespace dbackup::host {
namespace {

// Far from the numbers that a tool's own files get, so that it is not closed or replaced by
// accident.
constexpr int kLowestNumber = 100;

UniqueFd file_in_memory(std::string_view content) {
  UniqueFd memory{::memfd_create("dbackup-side-file", MFD_CLOEXEC)};
  if (!memory) throw_errno(errno, "cannot make a side file");
  if (::fchmod(memory.get(), S_IRUSR | S_IWUSR) != 0) throw_errno(errno, "cannot make a side file");
  while (!content.empty()) {
    const ssize_t n = ::write(memory.get(), content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw_errno(errno, "cannot fill a side file");
    content.remove_prefix(static_cast<size_t>(n));
  }
  return memory;
}

UniqueFd file_on_disk() {
  const char* wanted = std::getenv("TMPDIR");
  const std::string folder = wanted != nullptr && *wanted != '\0' ? wanted : "/tmp";
  UniqueFd file{::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  if (!file) throw_errno(errno, "cannot make a staging file in \"" + folder + "\"");
  return file;
}

}  // namespace

SideFile::SideFile(CallContext& call, const UniqueFd& file)
    : call_{call}, file_{::fcntl(file.get(), F_DUPFD_CLOEXEC, kLowestNumber)} {
  if (!file_) throw_errno(errno, "cannot make a side file");
  path_ = "/proc/self/fd/" + std::to_string(file_.get());
}

SideFile::SideFile(CallContext& call, std::string_view content)
    : SideFile{call, file_in_memory(content)} {}

std::unique_ptr<SideFile> SideFile::on_disk(CallContext& call) {
  return std::unique_ptr<SideFile>{new SideFile{call, file_on_disk()}};
}

}  // namespace dbackup::host
