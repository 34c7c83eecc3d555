#include "folder_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dbackup/error.hpp>
#include <memory>

namespace dbackup::plugins {
namespace {

constexpr mode_t kFolderMode = 0750;
constexpr unsigned kDeepest = 200;  // one descriptor is open per level

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

/// Opens `path` below `folder_fd` without following any link; -1 and errno otherwise.
int open_beneath(int folder_fd, const std::string& path, int flags) noexcept {
  struct open_how how {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  const char* name = path.empty() ? "." : path.c_str();
  for (;;) {
    const long fd = ::syscall(SYS_openat2, folder_fd, name, &how, sizeof(how));
    // EAGAIN: a rename beside us made the kernel unsure whether we are still beneath.
    if (fd >= 0 || (errno != EINTR && errno != EAGAIN)) return static_cast<int>(fd);
  }
}

[[noreturn]] void throw_open_error(int number, const std::string& shown_path) {
  if (number == ELOOP || number == EXDEV) {
    throw Error{ErrorCode::PermissionDenied,
                "access to \"" + shown_path + "\" denied: it leads through a symbolic link"};
  }
  throw system_error(number, "cannot open \"" + shown_path + "\"");
}

bool is_absent(int number) noexcept { return number == ENOENT || number == ENOTDIR; }

bool is_dots(const char* name) noexcept {
  return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0;
}

}  // namespace

FolderTree::FolderTree(const std::string& base, const std::vector<std::string>& forbidden,
                       Missing missing)
    : base_{base} {
  if (!base.starts_with('/')) {
    throw Error{ErrorCode::InvalidArgument, "\"basePath\" must be an absolute path"};
  }
  for (const std::string& path : forbidden) {
    struct stat info {};
    // A folder that does not exist has nothing to protect.
    if (::stat(path.c_str(), &info) == 0) forbidden_.emplace_back(info.st_dev, info.st_ino);
  }
  // Part by part, so that nothing is ever made inside a forbidden folder.
  UniqueFd at{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!at) throw system_error(errno, "cannot open \"/\"");
  for (size_t start = 1; start < base.size();) {
    const size_t slash = std::min(base.find('/', start), base.size());
    const std::string part = base.substr(start, slash - start);
    start = slash + 1;
    if (part.empty() || part == ".") continue;
    const std::string so_far = base.substr(0, slash);
    int fd = ::openat(at.get(), part.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && missing == Missing::Create) {
      refuse_forbidden(at.get(), so_far);
      if (::mkdirat(at.get(), part.c_str(), kFolderMode) != 0 && errno != EEXIST) {
        throw system_error(errno, "cannot make \"" + so_far + "\"");
      }
      const UniqueFd parent{::openat(at.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
      if (parent) ::fsync(parent.get());
      fd = ::openat(at.get(), part.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0) throw system_error(errno, "cannot open \"" + so_far + "\"");
    at.reset(fd);
  }
  refuse_forbidden(at.get(), base);
  base_fd_ = std::move(at);
}

bool FolderTree::is_forbidden(const struct stat& info) const noexcept {
  return std::ranges::find(forbidden_, Identity{info.st_dev, info.st_ino}) != forbidden_.end();
}

void FolderTree::refuse_forbidden(int folder_fd, const std::string& shown_path) const {
  if (forbidden_.empty()) return;
  Identity below{};
  UniqueFd at{::openat(folder_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  while (at) {
    struct stat info {};
    if (::fstat(at.get(), &info) != 0) break;
    if (is_forbidden(info)) {
      throw Error{ErrorCode::PermissionDenied,
                  "access to \"" + shown_path + "\" denied: the folder is private to the server"};
    }
    const Identity here{info.st_dev, info.st_ino};
    if (here == below) return;  // "/" is its own parent
    below = here;
    at.reset(::openat(at.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  // Not knowing where a folder lies is no permission to use it.
  throw system_error(errno, "cannot tell where \"" + shown_path + "\" lies");
}

UniqueFd FolderTree::open_folder(const std::string& folder) const {
  UniqueFd fd{open_beneath(base_fd(), folder, O_RDONLY | O_DIRECTORY)};
  if (!fd) {
    if (is_absent(errno)) return {};
    throw_open_error(errno, shown(folder));
  }
  refuse_forbidden(fd.get(), shown(folder));
  return fd;
}

UniqueFd FolderTree::make_folder(const std::string& folder, std::vector<std::string>& made) const {
  // Another put that failed may remove an empty folder at any moment: then it is made once more.
  constexpr int kTries = 100;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    if (UniqueFd fd = open_folder(folder)) return fd;
    if (folder.empty()) break;  // the base itself is gone
    const std::string parent = parent_of(folder);
    const UniqueFd above = make_folder(parent, made);
    const std::string name = folder.substr(parent.empty() ? 0 : parent.size() + 1);
    if (::mkdirat(above.get(), name.c_str(), kFolderMode) == 0) {
      made.push_back(folder);
    } else if (errno != EEXIST && errno != ENOENT) {
      throw system_error(errno, "cannot make \"" + shown(folder) + "\"");
    }
  }
  throw Error{ErrorCode::FailedPrecondition,
              "\"" + shown(folder) + "\" cannot be used as a folder"};
}

UniqueFd FolderTree::open_file(const ObjectPath& path, struct stat& info) const {
  const UniqueFd folder = open_folder(path.folder);
  if (!folder) return {};
  // O_NONBLOCK: opening a FIFO must not wait for its other end.
  UniqueFd fd{open_beneath(folder.get(), path.name, O_RDONLY | O_NONBLOCK | O_NOCTTY)};
  if (!fd) {
    if (is_absent(errno)) return {};
    throw_open_error(errno, shown(path.full()));
  }
  if (::fstat(fd.get(), &info) != 0)
    throw system_error(errno, "cannot read \"" + shown(path.full()) + "\"");
  if (!S_ISREG(info.st_mode) || is_forbidden(info)) return {};
  return fd;
}

void FolderTree::prune(std::string folder) const noexcept {
  try {
    while (!folder.empty()) {
      const std::string parent = parent_of(folder);
      const UniqueFd above = open_folder(parent);
      const std::string name = folder.substr(parent.empty() ? 0 : parent.size() + 1);
      if (!above || ::unlinkat(above.get(), name.c_str(), AT_REMOVEDIR) != 0) return;
      folder = parent;
    }
  } catch (const std::exception&) {
    // An empty folder that stays harms nobody.
  }
}

void FolderTree::sync_folders(std::string folder) const {
  for (;;) {
    const UniqueFd fd = open_folder(folder);
    // EINVAL: a file system whose folders cannot be synced writes them through.
    if (fd && ::fsync(fd.get()) != 0 && errno != EINVAL) {
      throw system_error(errno, "cannot sync \"" + shown(folder) + "\"");
    }
    if (folder.empty()) return;
    folder = parent_of(folder);
  }
}

void FolderTree::walk(const Call& call, const std::string& folder,
                      const std::function<void(const Entry&)>& file,
                      const std::function<void(const std::string&)>& unreadable) const {
  UniqueFd fd = open_folder(folder);
  if (fd) walk_folder(call, std::move(fd), folder, 0, file, unreadable);
}

void FolderTree::walk_folder(const Call& call, UniqueFd folder_fd, const std::string& folder,
                             unsigned depth, const std::function<void(const Entry&)>& file,
                             const std::function<void(const std::string&)>& unreadable) const {
  const int fd = folder_fd.get();
  const Folder entries{::fdopendir(fd)};
  if (!entries) throw system_error(errno, "cannot list \"" + shown(folder) + "\"");
  folder_fd.release();  // closed with `entries` from here on
  for (;;) {
    call.check_cancelled();
    errno = 0;
    const dirent* entry = ::readdir(entries.get());
    if (entry == nullptr) {
      if (errno == 0) return;
      throw system_error(errno, "cannot list \"" + shown(folder) + "\"");
    }
    if (is_dots(entry->d_name)) continue;
    struct stat info {};
    if (::fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;  // removed meanwhile
      throw system_error(errno, "cannot read \"" + shown(joined(folder, entry->d_name)) + "\"");
    }
    if (S_ISREG(info.st_mode)) {
      if (!is_forbidden(info)) file({fd, folder, entry->d_name, info});
      continue;
    }
    if (!S_ISDIR(info.st_mode) || is_forbidden(info)) continue;
    const std::string child = joined(folder, entry->d_name);
    UniqueFd child_fd{open_beneath(fd, entry->d_name, O_RDONLY | O_DIRECTORY)};
    if (!child_fd || depth + 1 >= kDeepest) {
      if (!child_fd && is_absent(errno)) continue;
      call.warning("\"" + shown(child) +
                   "\" is left out: " + (child_fd ? "too deep" : std::strerror(errno)));
      unreadable(child);
      continue;
    }
    walk_folder(call, std::move(child_fd), child, depth + 1, file, unreadable);
  }
}

void FolderTree::children(const std::string& folder,
                          const std::function<void(const std::string&)>& child) const {
  UniqueFd fd = open_folder(folder);
  if (!fd) throw Error{ErrorCode::NotFound, "no folder \"" + shown(folder) + "\""};
  const Folder entries{::fdopendir(fd.get())};
  if (!entries) throw system_error(errno, "cannot list \"" + shown(folder) + "\"");
  const int folder_fd = fd.release();
  while (const dirent* entry = ::readdir(entries.get())) {
    struct stat info {};
    if (is_dots(entry->d_name) ||
        ::fstatat(folder_fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      continue;
    }
    if (S_ISDIR(info.st_mode) && !is_forbidden(info)) child(entry->d_name);
  }
}

std::string FolderTree::shown(const std::string& path) const {
  return path.empty() ? base_ : (base_.ends_with('/') ? base_ + path : base_ + "/" + path);
}

}  // namespace dbackup::plugins
