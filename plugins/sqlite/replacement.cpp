#include "replacement.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "database.hpp"
#include "location.hpp"

namespace dbackup::sqlite {
namespace {

constexpr uint64_t kFlushBytes = 16 * 1024 * 1024;
constexpr std::array kCompanions{"-journal", "-wal", "-shm"};

std::string temporary_prefix(const std::string& target) {
  // The name is cut so that SQLite's longest suffix fits behind it.
  return "." + base_of(target).substr(0, NAME_MAX - 60) + ".dbackup-";
}

std::string temporary_path(const std::string& target, const std::string& token) {
  const bool is_plain =
      token.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
      std::string::npos;
  if (token.empty() || token.size() > 36 || !is_plain) {
    throw Error{ErrorCode::InvalidArgument, "\"token\" must be 1 to 36 letters, digits and '-'"};
  }
  return folder_of(target) + "/" + temporary_prefix(target) + token;
}

/// False when the restore that made the file still holds its lock.
bool remove_abandoned(const std::string& path) {
  const plugins::UniqueFd fd{open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  // The lock of a restore that still runs is held; one of a killed process is gone with it.
  if (!fd) return errno == ENOENT;
  return flock(fd.get(), LOCK_EX | LOCK_NB) == 0 && unlink(path.c_str()) == 0;
}

void remove_if_there(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    throw system_error(errno, "cannot remove \"" + path + "\"");
  }
}

void sync(int fd, const std::string& path) {
  while (fsync(fd) != 0) {
    if (errno != EINTR) throw system_error(errno, "cannot make \"" + path + "\" durable");
  }
}

Error in_use(const std::string& path) {
  return Error{ErrorCode::FailedPrecondition,
               "\"" + path + "\" is in use; stop the programs that have it open and try again"};
}

}  // namespace

ExclusiveLock::ExclusiveLock(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  raw_.reset(raw);
  if (raw == nullptr) throw std::bad_alloc{};
  if (code != SQLITE_OK) {
    throw Error{ErrorCode::PermissionDenied,
                "cannot open \"" + path + "\": " + sqlite3_errmsg(raw)};
  }
  sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_file* file = nullptr;
  sqlite3_file_control(raw, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (file == nullptr || file->pMethods == nullptr) {
    throw Error{ErrorCode::Internal, "SQLite gave no handle of \"" + path + "\""};
  }
  // Locks of the file itself: the old content may be damaged, which is why it is replaced.
  if (file->pMethods->xLock(file, SQLITE_LOCK_SHARED) != SQLITE_OK ||
      file->pMethods->xLock(file, SQLITE_LOCK_EXCLUSIVE) != SQLITE_OK) {
    throw in_use(path);
  }
}

Replacement::Replacement(const Call& call, std::string target, const std::string& token)
    : call_{call}, target_{std::move(target)}, folder_{folder_of(target_)} {
  folder_fd_.reset(open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder_fd_) throw system_error(errno, "cannot open folder \"" + folder_ + "\"");
  remove_leftovers();
  path_ = temporary_path(target_, token);
  fd_.reset(open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd_) {
    const int number = errno;
    path_.clear();
    throw system_error(number, "cannot write in folder \"" + folder_ + "\"");
  }
  flock(fd_.get(), LOCK_EX | LOCK_NB);  // marks it as alive, see remove_leftovers()
}

Replacement::~Replacement() {
  if (path_.empty()) return;
  unlink(path_.c_str());
  for (const char* suffix : kCompanions) unlink((path_ + suffix).c_str());
}

void Replacement::remove_leftovers() const {
  const std::string prefix = temporary_prefix(target_);
  std::error_code error;
  for (std::filesystem::directory_iterator it{folder_, error}, end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    remove_abandoned(it->path());
  }
}

void Replacement::remove_leftover(const Call& call, const std::string& target,
                                  const std::string& token) {
  const std::string path = temporary_path(target, token);
  if (!look(path)) return;
  if (!remove_abandoned(path)) {
    throw Error{ErrorCode::FailedPrecondition, "\"" + path + "\" is still being written"};
  }
  for (const char* suffix : kCompanions) remove_if_there(path + suffix);
  Call{call}.info("removed the unfinished file of a restore that was killed");
}

void Replacement::write(std::span<const std::byte> block) {
  while (!block.empty()) {
    const ssize_t n = ::write(fd_.get(), block.data(), block.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error(errno, "cannot write beside \"" + target_ + "\"");
    block = block.subspan(static_cast<size_t>(n));
    written_ += static_cast<uint64_t>(n);
  }
  if (written_ - flushed_ >= kFlushBytes) {
    // Writing out begins early, so that the fsync at the end is short and a cancellation is prompt.
    sync_file_range(fd_.get(), static_cast<off64_t>(flushed_),
                    static_cast<off64_t>(written_ - flushed_), SYNC_FILE_RANGE_WRITE);
    flushed_ = written_;
  }
}

void Replacement::check(Check how) {
  sync(fd_.get(), path_);
  call_.check_cancelled();
  if (how == Check::None) return;
  Database database{call_, path_, Database::Access::Immutable};
  std::string first;
  int64_t lines = 0;
  try {
    const auto pages = database.integer("PRAGMA page_count");
    const auto size = database.integer("PRAGMA page_size");
    if (static_cast<uint64_t>(pages * size) != written_) {
      throw Error{ErrorCode::DataLoss, "the backup is cut: it holds " + std::to_string(written_) +
                                           " bytes of " + std::to_string(pages * size)};
    }
    database.run(how == Check::Full ? "PRAGMA integrity_check(5)" : "PRAGMA quick_check(5)",
                 [&](sqlite3_stmt* row) {
                   const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, 0));
                   if (text != nullptr && std::strcmp(text, "ok") == 0) return;
                   if (lines++ == 0 && text != nullptr) first = text;
                 });
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Aborted) {
      // A collation or module of the application's own: the check needs it and only the application
      // has it.
      call_.warning(std::string{"the restored database could not be checked in full: "} +
                    error.what());
      return;
    }
    if (error.code() == ErrorCode::Cancelled || error.code() == ErrorCode::ResourceExhausted) throw;
    throw Error{ErrorCode::DataLoss, "the backup is not a sound SQLite database", error.what()};
  }
  if (lines > 0) {
    for (char& c : first) {
      if (c == '\n') c = ' ';
    }
    throw Error{ErrorCode::DataLoss, "the backup is damaged: " + first};
  }
}

bool Replacement::settle_old() const {
  // Whatever lies in the old database's journal or log is brought into its file first: when the
  // restore fails after the files beside it are gone, nothing of the old content is missing.
  try {
    Database old{call_, target_, Database::Access::ReadWrite};
    old.run("PRAGMA locking_mode = EXCLUSIVE");
    old.run("BEGIN EXCLUSIVE");
    old.run("COMMIT");
    old.run("PRAGMA wal_checkpoint(TRUNCATE)");
    return true;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Cancelled) throw;
    if (error.code() == ErrorCode::Unavailable) throw in_use(target_);
    call_.warning("the database that is replaced could not be read: " + std::string{error.what()});
    return false;
  }
}

void Replacement::inherit_rights(const std::string& model) const {
  struct stat like {};
  const bool replaces = stat(target_.c_str(), &like) == 0;
  if (!replaces && stat(model.c_str(), &like) != 0) return;
  struct stat now {};
  if (fstat(fd_.get(), &now) != 0) throw system_error(errno, "cannot look at \"" + path_ + "\"");
  const bool same_owner = now.st_uid == like.st_uid && now.st_gid == like.st_gid;
  if (!same_owner && fchown(fd_.get(), like.st_uid, like.st_gid) != 0) {
    call_.warning("the restored file keeps the owner of this server: " +
                  std::string{std::strerror(errno)});
  }
  if (fchmod(fd_.get(), like.st_mode & 07777U) != 0) {
    throw system_error(errno, "cannot set the rights of \"" + path_ + "\"");
  }
}

void Replacement::commit(const std::string& model) {
  inherit_rights(model);
  sync(fd_.get(), path_);
  std::unique_ptr<ExclusiveLock> lock;
  const bool replaces = look(target_).has_value();
  if (replaces) {
    { const ExclusiveLock first{target_}; }  // in use: say so before anything is waited for
    const bool settled = settle_old();
    lock = std::make_unique<ExclusiveLock>(target_);
    const auto log = look(target_ + "-wal");
    if (settled && log && log->st_size > 0) throw in_use(target_);  // someone wrote in between
  }
  call_.check_cancelled();
  // They belong to the old content; SQLite would apply them to the new one. A log without a
  // database too.
  for (const char* suffix : kCompanions) remove_if_there(target_ + suffix);
  const unsigned flags = replaces ? 0U : RENAME_NOREPLACE;
  if (renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), flags) != 0) {
    throw system_error(errno, "cannot put the restored file in place of \"" + target_ + "\"");
  }
  path_.clear();
  sync(folder_fd_.get(), folder_);
}

}  // namespace dbackup::sqlite
