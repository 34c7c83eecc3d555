#include "crypto/master_key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "base/unique_fd.hpp"
#include "crypto/secret_box.hpp"

namespace dbackup::host {
namespace {

constexpr const char* kFileName = "master.key";
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

std::string quoted(const std::filesystem::path& path) { return "\"" + path.string() + "\""; }

[[noreturn]] void throw_open_to_others(const std::filesystem::path& path, const char* mode) {
  throw Error{ErrorCode::PermissionDenied,
              quoted(path) + " is open to other users; hint: chmod " + mode + " " + quoted(path)};
}

void check_owner(const struct stat& status, const std::filesystem::path& path) {
  if (status.st_uid != ::geteuid()) {
    throw Error{ErrorCode::PermissionDenied,
                quoted(path) + " belongs to another user; hint: chown it to the server's user"};
  }
}

SecretString parse_key(std::string_view text, const std::string& where) {
  auto bytes = from_hex(text);
  if (!bytes || bytes->size() != kMasterKeySize) {
    if (bytes) wipe(*bytes);
    throw Error{
        ErrorCode::InvalidArgument,
        where + " is not 64 hexadecimal digits; hint: `openssl rand -hex 32` makes such a key"};
  }
  SecretString key{*bytes};
  wipe(*bytes);
  return key;
}

UniqueFd open_private_folder(const std::filesystem::path& folder) {
  UniqueFd fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!fd) {
    if (errno == ELOOP || errno == ENOTDIR) {
      throw Error{ErrorCode::PermissionDenied, quoted(folder) + " is not a folder or is a link"};
    }
    throw_errno(errno, "cannot open " + quoted(folder));
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw_errno(errno, "cannot read " + quoted(folder));
  check_owner(status, folder);
  if ((status.st_mode & kOthers) != 0) throw_open_to_others(folder, "700");
  return fd;
}

/// The file's text, cut at a length no key has.
SecretString read_small(int fd, const std::filesystem::path& path) {
  std::string text(256, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(fd, text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno(errno, "cannot read " + quoted(path));
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  SecretString secret{text.substr(0, size)};
  wipe(text);
  return secret;
}

/// nullopt when there is no such file.
std::optional<SecretString> read_key(int folder, const std::filesystem::path& path) {
  // Non-blocking: a pipe put in the key's place must not hang the start.
  const UniqueFd fd{::openat(folder, kFileName, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (!fd) {
    if (errno == ENOENT) return std::nullopt;
    if (errno == ELOOP) throw Error{ErrorCode::PermissionDenied, quoted(path) + " is a link"};
    throw_errno(errno, "cannot open " + quoted(path));
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw_errno(errno, "cannot read " + quoted(path));
  if (!S_ISREG(status.st_mode)) {
    throw Error{ErrorCode::PermissionDenied, quoted(path) + " is not a regular file"};
  }
  check_owner(status, path);
  if ((status.st_mode & kOthers) != 0) throw_open_to_others(path, "600");
  const SecretString text = read_small(fd.get(), path);
  auto line = text.reveal();
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  return parse_key(line, quoted(path));
}

void write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno(errno, "cannot write " + quoted(path));
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

void sync(int fd, const std::filesystem::path& path) {
  if (::fsync(fd) != 0) throw_errno(errno, "cannot sync " + quoted(path));
}

/// False when another process was faster. The file gets its name only when it is whole and on disk:
/// a crash between creating and writing it would otherwise leave an empty key for ever.
bool write_key(int folder, const std::filesystem::path& path, const SecretString& key) {
  const std::string temporary = std::string{kFileName} + "." + to_hex(random_bytes(8)) + ".new";
  const UniqueFd fd{::openat(folder, temporary.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!fd) throw_errno(errno, "cannot create " + quoted(path));
  int link_error = 0;
  try {
    std::string text = to_hex(key.reveal()) + "\n";
    const SecretString line{text};
    wipe(text);
    write_all(fd.get(), line.reveal(), path);
    sync(fd.get(), path);
    if (::linkat(folder, temporary.c_str(), folder, kFileName, 0) != 0) link_error = errno;
  } catch (...) {
    ::unlinkat(folder, temporary.c_str(), 0);
    throw;
  }
  ::unlinkat(folder, temporary.c_str(), 0);
  if (link_error == EEXIST) return false;
  if (link_error != 0) throw_errno(link_error, "cannot create " + quoted(path));
  sync(folder, path.parent_path());
  return true;
}

MasterKey with_id(SecretString bytes, MasterKey::Origin origin) {
  MasterKey key{.bytes = std::move(bytes), .id = {}, .origin = origin};
  key.id = master_key_id(key.bytes);
  return key;
}

}  // namespace

std::filesystem::path private_folder(const std::filesystem::path& data_dir) {
  return data_dir / "private";
}

std::filesystem::path master_key_path(const std::filesystem::path& data_dir) {
  return private_folder(data_dir) / kFileName;
}

void ensure_private_folder(const std::filesystem::path& data_dir) {
  const auto folder = private_folder(data_dir);
  if (::mkdir(folder.c_str(), 0700) == 0) {
    const UniqueFd parent{::open(data_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!parent) throw_errno(errno, "cannot open " + quoted(data_dir));
    sync(parent.get(), data_dir);
  } else if (errno != EEXIST) {
    throw_errno(errno, "cannot create " + quoted(folder));
  }
  open_private_folder(folder);
}

MasterKey load_master_key(const MasterKeyRequest& request) {
  if (!request.explicit_value.empty()) {
    return with_id(parse_key(request.explicit_value.reveal(), "the given master key"),
                   MasterKey::Origin::Explicit);
  }
  const auto folder = private_folder(request.data_dir);
  const auto path = master_key_path(request.data_dir);
  std::error_code ignored;
  const bool has_folder = std::filesystem::symlink_status(folder, ignored).type() !=
                          std::filesystem::file_type::not_found;
  if (has_folder) {
    if (auto key = read_key(open_private_folder(folder).get(), path)) {
      return with_id(std::move(*key), MasterKey::Origin::File);
    }
  }
  if (!request.may_generate) {
    throw Error{ErrorCode::FailedPrecondition,
                "there is no master key; hint: set DBACKUP_ENCRYPTION_KEY or put the key back as " +
                    quoted(path),
                {},
                "master_key_missing"};
  }
  ensure_private_folder(request.data_dir);
  const UniqueFd fd = open_private_folder(folder);
  SecretString fresh{random_bytes(kMasterKeySize)};
  if (write_key(fd.get(), path, fresh)) {
    return with_id(std::move(fresh), MasterKey::Origin::Generated);
  }
  auto existing = read_key(fd.get(), path);
  if (!existing) throw Error{ErrorCode::Aborted, quoted(path) + " appeared and went away"};
  return with_id(std::move(*existing), MasterKey::Origin::File);
}

}  // namespace dbackup::host
