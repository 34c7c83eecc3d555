#include "location.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <common/percent_encoding.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>

namespace dbackup::sqlite {
namespace {

namespace fs = std::filesystem;

struct Identity {
  dev_t device;
  ino_t inode;
  bool operator==(const Identity&) const = default;
};

std::optional<Identity> identity(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return std::nullopt;
  return Identity{found.st_dev, found.st_ino};
}

std::string real_path(const std::string& path) {
  struct Free {
    void operator()(char* raw) const noexcept { std::free(raw); }
  };
  const std::unique_ptr<char, Free> raw{realpath(path.c_str(), nullptr)};
  if (raw == nullptr) throw system_error(errno, "cannot find \"" + path + "\"");
  return raw.get();
}

/// A second name of a file inside `folder` opens the same file.
bool holds_inode(const std::string& folder, const Identity& wanted) {
  std::error_code error;
  for (fs::recursive_directory_iterator it{folder, error}, end; !error && it != end;
       it.increment(error)) {
    if (identity(it->path().string()) == wanted) return true;
  }
  return false;
}

void require_regular(const std::string& path, const struct stat& found) {
  if (!S_ISREG(found.st_mode)) {
    throw Error{ErrorCode::InvalidArgument, "\"" + path + "\" is not a regular file"};
  }
}

}  // namespace

void check_name(const std::string& name) {
  const auto refuse = [&](const char* why) {
    throw Error{ErrorCode::InvalidArgument,
                "\"" + name + "\" cannot be the name of a database: " + why};
  };
  if (name.empty() || name == "." || name == "..") refuse("it names no file");
  if (name.find('/') != std::string::npos) refuse("it must not contain \"/\"");
  if (name.find('\0') != std::string::npos) refuse("it must not contain NUL");
  if (name.size() > NAME_MAX) refuse("it is too long");
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {
    if (name.ends_with(suffix)) refuse("SQLite keeps its own files under such names");
  }
}

std::string immutable_uri(const std::string& path) {
  return "file:" + plugins::percent_encoded_path(path) + "?immutable=1";
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string base_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::optional<struct stat> look(const std::string& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) == 0) return found;
  if (errno == ENOENT) return std::nullopt;
  throw system_error(errno, "cannot look at \"" + path + "\"");
}

Location::Location(const Config& config)
    : path_{config.required("path")}, forbidden_{config.forbidden_paths()} {
  if (path_.front() != '/' || path_.find('\0') != std::string::npos) {
    throw Error{ErrorCode::InvalidArgument, "\"path\" must be an absolute path"};
  }
  folder_ = folder_of(path_);
  name_ = base_of(path_);
  check_name(name_);
}

void Location::refuse_forbidden(const std::string& real) const {
  const auto refuse = [&] {
    throw Error{ErrorCode::PermissionDenied,
                "\"" + path_ + "\" lies in a folder of the server itself"};
  };
  const auto self = identity(real);
  for (const std::string& folder : forbidden_) {
    const auto wanted = identity(folder);
    if (!wanted) continue;
    // By identity, so that no link and no second mount leads around it.
    for (std::string at = real;; at = folder_of(at)) {
      if (identity(at) == wanted) refuse();
      if (at == "/") break;
    }
    struct stat found {};
    if (self && stat(real.c_str(), &found) == 0 && found.st_nlink > 1 &&
        holds_inode(folder, *self)) {
      refuse();
    }
  }
}

std::string Location::existing() const {
  std::string real;
  try {
    real = real_path(path_);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::NotFound) throw;
    throw Error{ErrorCode::NotFound, "there is no database \"" + path_ + "\""};
  }
  const auto found = look(real);
  if (!found) throw Error{ErrorCode::NotFound, "there is no database \"" + path_ + "\""};
  require_regular(path_, *found);
  refuse_forbidden(real);
  return real;
}

std::string Location::target(const std::string& name) const {
  const std::string wanted = name.empty() ? name_ : name;
  check_name(wanted);
  std::string path = real_path(folder_);
  path += (path == "/" ? "" : "/") + wanted;
  if (const auto found = look(path)) {
    if (S_ISLNK(found->st_mode))
      path = real_path(path);  // the link stays, what it leads to is replaced
    const auto behind = look(path);
    if (behind) require_regular(path, *behind);
  }
  refuse_forbidden(path);
  return path;
}

}  // namespace dbackup::sqlite
