#include "services/server_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <memory>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/unique_fd.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kMostEntries = 10'000;
constexpr int kMostDepth = 256;

bool is_inside(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

std::string real_path_of(const std::string& path) {
  std::error_code failure;
  const auto real = std::filesystem::weakly_canonical(path, failure);
  return failure ? path : real.string();
}

/// Where an open folder really lies.
std::string path_of(const UniqueFd& folder) {
  std::string out(PATH_MAX, '\0');
  const std::string link = "/proc/self/fd/" + std::to_string(folder.get());
  const ssize_t length = ::readlink(link.c_str(), out.data(), out.size());
  if (length < 0) throw_errno(errno, "cannot tell where a folder lies");
  out.resize(static_cast<size_t>(length));
  return out;
}

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Whether `folder` is `wanted` or lies in it, also when a mount shows it at another place.
bool lies_in(const UniqueFd& folder, const std::string& wanted) {
  struct stat sought {};
  if (::stat(wanted.c_str(), &sought) != 0) return false;
  struct stat here {};
  if (::fstat(folder.get(), &here) != 0) return true;
  UniqueFd step;
  for (int depth = 0; depth < kMostDepth; ++depth) {
    if (is_same(here, sought)) return true;
    UniqueFd above{
        ::openat(step ? step.get() : folder.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    struct stat next {};
    if (!above || ::fstat(above.get(), &next) != 0) return true;
    if (is_same(here, next)) return false;  // the root is its own parent
    here = next;
    step = std::move(above);
  }
  return true;
}

bool is_of_the_kernel(const UniqueFd& folder) {
  struct statfs info {};
  if (::fstatfs(folder.get(), &info) != 0) return true;
  const auto type = static_cast<unsigned long>(info.f_type);
  return type == PROC_SUPER_MAGIC || type == SYSFS_MAGIC;
}

/// A name that JSON cannot hold could never be asked for.
bool can_be_named(const std::string& name) {
  try {
    Json(name).dump();
    return true;
  } catch (const Json::type_error&) {
    return false;
  }
}

struct CloseFolder {
  void operator()(DIR* raw) const noexcept { ::closedir(raw); }
};

[[noreturn]] void refuse_hidden(const std::string& path) {
  throw Error(ErrorCode::PermissionDenied, "\"" + path + "\" is not shown");
}

UniqueFd open_folder(const std::string& path) {
  UniqueFd folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC)};
  if (folder) return folder;
  if (errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG) {
    throw Error(ErrorCode::InvalidArgument, "\"" + path + "\": " + errno_text(errno));
  }
  throw_errno(errno, "\"" + path + "\"");
}

}  // namespace

std::string checked_server_path(const std::string& path) {
  if (path.size() > 4096 || path.find('\0') != std::string::npos || !path.starts_with('/')) {
    throw Error(ErrorCode::InvalidArgument,
                "\"path\" must be an absolute path of at most 4096 bytes");
  }
  std::string out = std::filesystem::path{path}.lexically_normal().string();
  while (out.starts_with("//")) out.erase(0, 1);
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

ServerFiles::ServerFiles(std::string data_dir) {
  for (const char* folder : {"/proc", "/sys", "/dev"}) hidden_.push_back(real_path_of(folder));
  if (data_dir.empty()) return;
  private_folder_ = data_dir + "/private";
  hidden_.push_back(real_path_of(private_folder_));
}

ServerFolder ServerFiles::list(const std::string& asked) const {
  ServerFolder out{.path = checked_server_path(asked), .parent = {}, .entries = {}};
  const auto is_hidden = [this](const std::string& real) {
    return std::ranges::any_of(hidden_,
                               [&](const std::string& folder) { return is_inside(real, folder); });
  };
  // Before the system says whether there is anything.
  if (is_hidden(out.path)) refuse_hidden(out.path);
  UniqueFd folder = open_folder(out.path);
  const std::string real = path_of(folder);
  if (is_hidden(real) || is_of_the_kernel(folder) ||
      (!private_folder_.empty() && lies_in(folder, private_folder_))) {
    refuse_hidden(out.path);
  }
  if (out.path != "/") {
    const size_t slash = out.path.rfind('/');
    out.parent = slash == 0 ? "/" : out.path.substr(0, slash);
  }
  const int descriptor = folder.release();
  const std::unique_ptr<DIR, CloseFolder> entries{::fdopendir(descriptor)};
  if (!entries) {
    const int reason = errno;
    ::close(descriptor);
    throw_errno(reason, "\"" + out.path + "\"");
  }
  const std::string base = out.path == "/" ? "/" : out.path + "/";
  const std::string real_base = real == "/" ? "/" : real + "/";
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == ".." || !can_be_named(name)) continue;
    if (is_hidden(real_base + name)) continue;
    bool is_folder = entry->d_type == DT_DIR;
    if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) {
      if (is_hidden(real_path_of(real_base + name))) continue;
      struct stat info {};
      is_folder = ::fstatat(descriptor, name.c_str(), &info, 0) == 0 && S_ISDIR(info.st_mode);
    }
    if (out.entries.size() == kMostEntries) {
      out.is_cut = true;
      break;
    }
    out.entries.push_back({.name = name, .path = base + name, .is_folder = is_folder});
  }
  std::ranges::sort(out.entries, [](const ServerFile& a, const ServerFile& b) {
    return a.is_folder != b.is_folder ? a.is_folder : a.name < b.name;
  });
  return out;
}

}  // namespace dbackup::host
