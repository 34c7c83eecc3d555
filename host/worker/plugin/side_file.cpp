#include "worker/plugin/side_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>

#include "worker/ssh/ssh_session.hpp"

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

SideFile::SideFile(CallContext& call, std::string_view content, const std::string& suffix)
    : call_{call},
      keeper_{call.ssh()->keeper(call.cancel())},
      name_{call.ssh()->new_name(suffix)},
      path_{keeper_->path(name_)} {
  keeper_->write_file(name_, content, call.cancel());
}

SideFile::~SideFile() {
  if (keeper_) keeper_->forget(name_);
}

std::unique_ptr<SideFile> SideFile::holding(CallContext& call, std::string_view content) {
  return std::unique_ptr<SideFile>{call.ssh() == nullptr
                                       ? new SideFile{call, file_in_memory(content)}
                                       : new SideFile{call, content, ""}};
}

std::unique_ptr<SideFile> SideFile::on_disk(CallContext& call, const std::string& suffix) {
  return std::unique_ptr<SideFile>{call.ssh() == nullptr ? new SideFile{call, file_on_disk()}
                                                         : new SideFile{call, "", suffix}};
}

}  // namespace dbackup::host
