// Stores backups in a folder of this machine. An object appears under its name only when it is
// whole and on disk: it is written as ".dbackup-<token>.part" beside its place, synced, and renamed
// without replacing. Nothing below the base is reached through a symbolic link; see
// folder_tree.hpp.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <dbackup/plugin.hpp>

#include "folder_tree.hpp"

namespace {

using dbackup::Call;
using dbackup::Error;
using dbackup::ErrorCode;
using dbackup::ObjectInfo;
using dbackup::Reader;
using dbackup::system_error;
using dbackup::Writer;
using dbackup::plugins::FolderTree;
using dbackup::plugins::ObjectPath;
using dbackup::plugins::UniqueFd;

constexpr dbackup::Option kOptions[] = {
    {.name = "basePath",
     .type = "path",
     .help = "Folder that holds the backups. It is made when it does not exist.",
     .fallback = "/backups",
     .required = true},
    {.name = "maxConcurrentFiles",
     .type = "integer",
     .help = "How many files a run may transfer at once; more than 16 count as 16. A backup is one file.",
     .fallback = "4",
     .minimum = 1},
};

constexpr dbackup::AdapterInfo kInfo{
    .id = "local-filesystem", .name = "Local Filesystem", .options = kOptions, .group = "Local"};

constexpr dbackup::StorageCapabilities kCapabilities{
    .exclusive_commit = dbackup::ExclusiveCommit::Atomic,
    .ranged_get = true,
    .browse = true,
    .atomic_replace = true};

// Fits the second-level cache: a block is still there when the kernel copies it.
constexpr size_t kBlockBytes = 256 * 1024;
// How often the kernel is asked to begin writing out, so that the final sync finds little left to
// do.
constexpr uint64_t kWritebackBytes = 8 * 1024 * 1024;
constexpr mode_t kFileMode = 0640;

struct Block {
  alignas(4096) std::array<std::byte, kBlockBytes> bytes;
};

ObjectInfo describe(std::string path, const struct stat& info) {
  return {.path = std::move(path),
          .size = static_cast<uint64_t>(info.st_size),
          .modified_ms =
              static_cast<int64_t>(info.st_mtim.tv_sec) * 1000 + info.st_mtim.tv_nsec / 1'000'000};
}

/// A file that exists only until commit() has given it its name.
class UnfinishedFile {
 public:
  UnfinishedFile(const FolderTree& tree, const ObjectPath& path, const std::string& token,
                 bool replace = false)
      : tree_{tree}, path_{path}, replace_{replace} {
    constexpr int kTries = 100;
    for (int attempt = 0; attempt < kTries; ++attempt) {
      // Made again each time: another put that failed may have just removed the empty folder.
      folder_ = tree_.make_folder(path_.folder, made_);
      name_ = dbackup::plugins::temporary_name(token, static_cast<unsigned>(attempt));
      fd_.reset(::openat(folder_.get(), name_.c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
      if (fd_) return;
      if (errno != EEXIST && errno != ENOENT) break;
    }
    const int number = errno;
    remove_made_folders();
    throw system_error(number, "cannot write to \"" + tree_.shown(path_.folder) + "\"");
  }

  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;

  ~UnfinishedFile() {
    if (committed_) return;
    ::unlinkat(folder_.get(), name_.c_str(), 0);
    remove_made_folders();
  }

  void write(std::span<const std::byte> block) {
    while (!block.empty()) {
      const ssize_t n = ::write(fd_.get(), block.data(), block.size());
      if (n < 0) {
        if (errno == EINTR) continue;
        throw failure("cannot write");
      }
      size_ += static_cast<uint64_t>(n);
      block = block.subspan(static_cast<size_t>(n));
    }
    if (size_ - begun_ >= kWritebackBytes) {
      // Only begins the writing; what cannot be written shows up in fsync. Not all file systems
      // know it.
      (void)::sync_file_range(fd_.get(), static_cast<off64_t>(begun_),
                              static_cast<off64_t>(size_ - begun_), SYNC_FILE_RANGE_WRITE);
      begun_ = size_;
    }
  }
  uint64_t size() const noexcept { return size_; }

  ObjectInfo commit() {
    if (::fsync(fd_.get()) != 0) throw failure("cannot sync");
    struct stat info {};
    if (::fstat(fd_.get(), &info) != 0) throw failure("cannot read");
    // Some network file systems report a failed write only here.
    if (::close(fd_.release()) != 0 && errno != EINTR) throw failure("cannot close");
    take_name();
    name_ = path_.name;     // until the folder is synced too, a failure takes the object back
    committed_ = replace_;  // except one that took an older one's place: that cannot come back
    tree_.sync_folders(path_.folder);
    committed_ = true;
    return describe(path_.full(), info);
  }

 private:
  void take_name() {
    const int at = folder_.get();
    const unsigned flags = replace_ ? 0U : RENAME_NOREPLACE;
    if (::renameat2(at, name_.c_str(), at, path_.name.c_str(), flags) == 0) return;
    if (!replace_ && (errno == EINVAL || errno == ENOSYS)) {
      // Without that flag, a second name is as exclusive.
      if (::linkat(at, name_.c_str(), at, path_.name.c_str(), 0) == 0) {
        ::unlinkat(at, name_.c_str(), 0);
        return;
      }
    }
    if (errno == EEXIST) {
      throw Error{ErrorCode::AlreadyExists, "\"" + tree_.shown(path_.full()) + "\" already exists"};
    }
    throw failure("cannot name");
  }

  Error failure(const char* what) const {
    const int number = errno;
    if (number == ENOSPC || number == EDQUOT) {
      return system_error(
          number, "\"" + tree_.base() + "\" is full: cannot store \"" + path_.full() + "\"");
    }
    return system_error(number, std::string{what} + " \"" + tree_.shown(path_.full()) + "\"");
  }

  void remove_made_folders() const noexcept {
    if (!made_.empty()) tree_.prune(made_.back());
  }

  const FolderTree& tree_;
  const ObjectPath& path_;
  std::vector<std::string> made_;
  UniqueFd folder_;
  std::string name_;
  UniqueFd fd_;
  uint64_t size_ = 0;
  uint64_t begun_ = 0;
  bool committed_ = false;
  bool replace_ = false;
};

class LocalFilesystem final : public dbackup::Storage {
 public:
  explicit LocalFilesystem(const dbackup::Config& config)
      : base_{config.required("basePath")}, forbidden_{config.forbidden_paths()} {
    if (!base_.starts_with('/')) {
      throw Error{ErrorCode::InvalidArgument, "\"basePath\" must be an absolute path"};
    }
  }

  dbackup::TestResult test(Call& call) override {
    const FolderTree base = tree(FolderTree::Missing::Create);
    const ObjectPath path =
        dbackup::plugins::parse_object_path(dbackup::plugins::probe_path("local-filesystem"));
    const std::string_view content = "connection test\n";
    bool written = false;
    try {
      {
        UnfinishedFile file{base, path, "connection-test"};
        file.write(std::as_bytes(std::span{content.data(), content.size()}));
        file.commit();
      }
      written = true;
      call.check_cancelled();
      struct stat info {};
      const UniqueFd file = base.open_file(path, info);
      std::array<char, 64> back{};
      const ssize_t n = file ? ::pread(file.get(), back.data(), back.size(), 0) : -1;
      if (n < 0 || std::string_view{back.data(), static_cast<size_t>(n)} != content) {
        throw Error{ErrorCode::DataLoss, "\"" + base_ + "\" does not give back what was written"};
      }
      remove_object(base, path);
    } catch (...) {
      if (written) remove_object(base, path);
      throw;
    }
    return {.message = "Access to " + base_ + " verified (Read/Write)"};
  }

  void ping(Call&) override {
    const FolderTree base = tree();
    if (::faccessat(base.base_fd(), ".", R_OK | W_OK | X_OK, AT_EACCESS) != 0) {
      throw system_error(errno, "cannot read and write \"" + base_ + "\"");
    }
  }

  ObjectInfo put(Call& call, const dbackup::PutRequest& request, Reader& in) override {
    const ObjectPath path = dbackup::plugins::parse_object_path(request.path);
    dbackup::plugins::check_token(request.token);
    const FolderTree base = tree(FolderTree::Missing::Create);
    if (!request.replace) refuse_taken(base, path);
    UnfinishedFile file{base, path, request.token, request.replace};
    const auto block = std::make_unique<Block>();
    while (const size_t n = in.read_full(block->bytes)) {
      call.check_cancelled();
      file.write(std::span{block->bytes}.first(n));
      call.progress(file.size(), 0);
    }
    call.check_cancelled();
    return file.commit();
  }

  void get(Call& call, const std::string& wanted, uint64_t offset, std::optional<uint64_t> length,
           Writer& out) override {
    const ObjectPath path = dbackup::plugins::parse_object_path(wanted);
    const FolderTree base = tree();
    struct stat info {};
    const UniqueFd file = base.open_file(path, info);
    if (!file) throw Error{ErrorCode::NotFound, "no file \"" + base.shown(wanted) + "\""};
    const auto size = static_cast<uint64_t>(info.st_size);
    if (offset >= size) return;
    const uint64_t total = std::min(length.value_or(size - offset), size - offset);
    (void)::posix_fadvise(file.get(), static_cast<off_t>(offset), static_cast<off_t>(total),
                          POSIX_FADV_SEQUENTIAL);
    const auto block = std::make_unique<Block>();
    for (uint64_t done = 0; done < total;) {
      call.check_cancelled();
      const size_t wanted_bytes =
          static_cast<size_t>(std::min<uint64_t>(kBlockBytes, total - done));
      const ssize_t n =
          ::pread(file.get(), block->bytes.data(), wanted_bytes, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw system_error(errno, "cannot read \"" + base.shown(wanted) + "\"");
      if (n == 0) {
        throw Error{ErrorCode::DataLoss,
                    "\"" + base.shown(wanted) + "\" became shorter while it was read"};
      }
      out.write(std::span{block->bytes}.first(static_cast<size_t>(n)));
      done += static_cast<uint64_t>(n);
      call.progress(done, total);
    }
  }

  void list(Call& call, const std::string& prefix,
            const std::function<void(const ObjectInfo&)>& found) override {
    const std::string folder = dbackup::plugins::parse_folder_path(prefix);
    const FolderTree base = tree();
    const auto file = [&](const FolderTree::Entry& entry) {
      if (dbackup::plugins::is_temporary_name(entry.name)) return;
      std::string path = ObjectPath{entry.folder, std::string{entry.name}}.full();
      if (!dbackup::plugins::can_be_named(path)) {
        call.warning("\"" + base.shown(path) + "\" is left out: its name is not UTF-8");
        return;
      }
      found(describe(std::move(path), entry.info));
    };
    base.walk(call, folder, file, [&](const std::string& unreadable) {
      if (dbackup::plugins::can_be_named(unreadable)) {
        found({.path = unreadable, .is_unreadable_folder = true});
      }
    });
  }

  std::optional<ObjectInfo> stat(Call&, const std::string& wanted) override {
    const ObjectPath path = dbackup::plugins::parse_object_path(wanted);
    struct stat info {};
    try {
      if (!tree().open_file(path, info)) return std::nullopt;
    } catch (const Error& error) {
      // The first put makes the base: until then nothing in it exists.
      if (error.code() == ErrorCode::NotFound) return std::nullopt;
      throw;
    }
    return describe(wanted, info);
  }

  bool remove(Call&, const std::string& wanted) override {
    const ObjectPath path = dbackup::plugins::parse_object_path(wanted);
    return remove_object(tree(), path);
  }

  uint64_t cleanup(Call& call, const std::string& token) override {
    dbackup::plugins::check_token(token);
    const FolderTree base = tree();
    uint64_t removed = 0;
    std::vector<std::string> folders;
    const auto file = [&](const FolderTree::Entry& entry) {
      if (!dbackup::plugins::is_temporary_of(entry.name, token)) return;
      const std::string name{entry.name};
      if (::unlinkat(entry.folder_fd, name.c_str(), 0) != 0) {
        if (errno == ENOENT) return;
        throw system_error(errno,
                           "cannot remove \"" + base.shown(entry.folder) + "/" + name + "\"");
      }
      ++removed;
      folders.push_back(entry.folder);
    };
    base.walk(call, "", file, [](const std::string&) {});
    for (const std::string& folder : folders) base.prune(folder);
    return removed;
  }

  void browse(Call& call, const std::string& path,
              const std::function<void(const std::string&, const std::string&)>& folder) {
    const std::string parent = dbackup::plugins::parse_folder_path(path);
    tree().children(parent, [&](const std::string& name) {
      call.check_cancelled();
      if (dbackup::plugins::can_be_named(name)) folder(name, ObjectPath{parent, name}.full());
    });
  }

 private:
  /// Opened anew for each operation: a mount or a rename in between must be seen.
  FolderTree tree(FolderTree::Missing missing = FolderTree::Missing::Fail) const {
    return FolderTree{base_, forbidden_, missing};
  }

  /// Before the first byte is read; the rename at the end decides all the same.
  static void refuse_taken(const FolderTree& base, const ObjectPath& path) {
    const UniqueFd folder = base.open_folder(path.folder);
    struct stat info {};
    if (folder && ::fstatat(folder.get(), path.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
      throw Error{ErrorCode::AlreadyExists, "\"" + base.shown(path.full()) + "\" already exists"};
    }
  }

  static bool remove_object(const FolderTree& base, const ObjectPath& path) {
    const UniqueFd folder = base.open_folder(path.folder);
    struct stat info {};
    if (!folder || ::fstatat(folder.get(), path.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(info.st_mode)) {
      return false;
    }
    if (::unlinkat(folder.get(), path.name.c_str(), 0) != 0) {
      if (errno == ENOENT) return false;
      throw system_error(errno, "cannot remove \"" + base.shown(path.full()) + "\"");
    }
    base.prune(path.folder);
    return true;
  }

  std::string base_;
  std::vector<std::string> forbidden_;
};

}  // namespace

DBACKUP_PLUGIN("org.dbackup.local-filesystem", "Local Filesystem", DBACKUP_SDK_VERSION,
               dbackup::storage<LocalFilesystem>(kInfo, kCapabilities))
