#include <climits>

#include "location.hpp"
#include "remote_file.hpp"

/// Restoring into a file on another machine. What could be half done has a name with the restore's
/// token, beside the target, until one rename.
namespace dbackup::sqlite {
namespace {

constexpr const char* kPlaced = "dbackup:placed";
constexpr const char* kLocked = "locked";
constexpr const char* kNoDatabase = "is not a database";
constexpr const char* kMalformed = "malformed";

bool mentions(const ExitStatus& status, const char* words) {
  return !status.ok() && status.errors.find(words) != std::string::npos;
}

/// Between single quotes, for the script that a side file holds.
std::string shell_word(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? "'\\''" : std::string{c};
  return out + "'";
}

std::string temporary_path(const std::string& target, const std::string& token) {
  const bool is_plain =
      token.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
      std::string::npos;
  if (token.empty() || token.size() > 36 || !is_plain) {
    throw Error{ErrorCode::InvalidArgument, "\"token\" must be 1 to 36 letters, digits and '-'"};
  }
  const std::string folder = folder_of(target);
  return (folder == "/" ? "" : folder) + "/." + base_of(target).substr(0, NAME_MAX - 60) +
         ".dbackup-" + token;
}

Error in_use(const std::string& path) {
  return Error{ErrorCode::FailedPrecondition,
               "\"" + path + "\" is in use; stop the programs that have it open and try again"};
}

/// Removes the temporary file unless it was put in its place.
class Leftover {
 public:
  Leftover(Call& call, std::string path) : call_{call}, path_{std::move(path)} {}
  ~Leftover() {
    if (path_.empty()) return;
    try {
      remove(call_, path_);
    } catch (const Error&) {  // the connection is gone: cleanup_restore() finds it
    }
  }
  Leftover(const Leftover&) = delete;
  Leftover& operator=(const Leftover&) = delete;
  void keep() noexcept { path_.clear(); }

  static void remove(Call& call, const std::string& path) {
    const ExitStatus status =
        Exec{call}.run({"rm", "-f", "--", path, path + "-journal", path + "-wal", path + "-shm"});
    if (!status.ok()) {
      throw Error{ErrorCode::Aborted, "cannot remove \"" + path + "\"", status.errors};
    }
  }

 private:
  Call& call_;
  std::string path_;
};

}  // namespace

/// The real path a restore as `name` writes to, there or not.
std::string RemoteFile::target(Call& call, const std::string& name) const {
  const std::string wanted = name.empty() ? name_ : name;
  check_name(wanted);
  const std::string asked = (folder_ == "/" ? "" : folder_) + "/" + wanted;
  Exec exec{call};
  if (!exec.run({"test", "-d", folder_}).ok()) {
    throw Error{ErrorCode::NotFound, "there is no folder \"" + folder_ + "\""};
  }
  // A link stays, what it leads to is replaced.
  const ExitStatus real = exec.run({"readlink", "-f", "--", asked});
  if (!real.ok() || !real.output.ends_with('\n')) {
    throw Error{ErrorCode::NotFound, "cannot find out where \"" + asked + "\" lies", real.errors};
  }
  std::string path = real.output.substr(0, real.output.size() - 1);
  if (exec.run({"test", "-e", path}).ok() && !exec.run({"test", "-f", path}).ok()) {
    throw Error{ErrorCode::InvalidArgument, "\"" + asked + "\" is not a regular file"};
  }
  return path;
}

/// A sqlite3 there that holds the file as long as it runs. It neither writes nor removes a log when
/// it ends, which is after others may have opened the new file. A truncated file can only be held
/// with the schema taken as writable.
std::vector<std::string> RemoteFile::holder(const std::string& path) const {
  auto argv = tool(path);
  argv.insert(argv.end(), {".dbconfig no_ckpt_on_close on", "PRAGMA writable_schema = ON",
                           "PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE"});
  return argv;
}

/// Does somebody else use it? A file that is no database any more is used by nobody. Throws when it
/// cannot be found out: a file that may not be read can be in use.
bool RemoteFile::refuses_lock(Call& call, const std::string& path) const {
  auto argv = holder(path);
  argv.emplace_back("ROLLBACK");
  const ExitStatus status = Exec{call}.run(argv);
  if (status.ok() || mentions(status, kNoDatabase)) return false;
  if (mentions(status, kLocked)) return true;
  failed(path, status);
}

void RemoteFile::prepare_restore(Call& call, const std::string& name) const {
  const std::string path = target(call, name);
  const std::string folder = folder_of(path);
  Exec exec{call};
  if (!exec.run({"test", "-w", folder}).ok()) {
    throw Error{ErrorCode::PermissionDenied, "cannot write in folder \"" + folder + "\""};
  }
  if (exec.run({"test", "-e", path}).ok() && refuses_lock(call, path)) throw in_use(path);
}

void RemoteFile::restore(Call& call, const RestoreRequest& request, std::span<const std::byte> head,
                         Reader& in, Check check) const {
  prepare_restore(call, request.database);
  const std::string path = target(call, request.database);
  const std::string beside = temporary_path(path, request.token);
  Exec exec{call};
  Leftover::remove(call, beside);
  Leftover leftover{call, beside};
  // noclobber: never into a file that somebody else made.
  Process writer =
      exec.start({"sh", "-c", "umask 077; set -C; exec cat >\"$1\"", "dbackup", beside},
                 {.input = true, .output = Output::Discard});
  uint64_t written = head.size();
  bool takes = writer.write(head);
  std::vector<std::byte> block(size_t{256} * 1024);
  while (takes) {
    call.check_cancelled();
    const size_t n = in.read(block);
    if (n == 0) break;
    takes = writer.write(std::span{block}.first(n));
    written += n;
    call.progress(written, 0);
  }
  if (takes) writer.close_input();
  writer.expect_success();
  verify(call, beside, written, check);
  place(call, beside, path);
  leftover.keep();
}

void RemoteFile::verify(Call& call, const std::string& path, uint64_t bytes, Check how) const {
  Exec exec{call};
  const ExitStatus size = exec.run({"wc", "-c", path});
  const uint64_t there = std::strtoull(size.output.c_str(), nullptr, 10);
  if (!size.ok() || there != bytes) {
    throw Error{ErrorCode::DataLoss,
                "of " + std::to_string(bytes) + " bytes " + std::to_string(there) + " arrived",
                size.errors};
  }
  const ExitStatus synced = exec.run({"sync", path});
  if (!synced.ok()) exec.run({"sync"});  // a sync that knows no files
  if (how == Check::None) return;
  const std::string uri = immutable_uri(path);
  int64_t pages = 0;
  try {
    pages =
        number(call, uri, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Aborted) throw;
    throw Error{ErrorCode::DataLoss, std::string{"the backup is damaged: "} + error.what(),
                error.detail()};
  }
  if (static_cast<uint64_t>(pages) != bytes) {
    throw Error{ErrorCode::DataLoss, "the backup is cut: it holds " + std::to_string(bytes) +
                                         " bytes of " + std::to_string(pages)};
  }
  auto argv = tool(uri);
  argv.emplace_back(how == Check::Full ? "PRAGMA integrity_check(5)" : "PRAGMA quick_check(5)");
  const ExitStatus checked = exec.run(argv);
  if (checked.ok() && checked.output == "ok\n") return;
  const std::string& words = checked.ok() ? checked.output : checked.errors;
  throw Error{ErrorCode::DataLoss, "the backup is damaged: " + words.substr(0, words.find('\n')),
              words};
}

void RemoteFile::place(Call& call, const std::string& from, const std::string& to) const {
  Exec exec{call};
  const std::string old = shell_word(to), fresh = shell_word(from), model = shell_word(path_);
  // The lock is held by sqlite3, which runs this: nobody opens the old file between its end and
  // ours.
  const SideFile script = exec.side_file(
      "m=" + old + "; [ -e \"$m\" ] || m=" + model + "\n" +
      "if [ -e \"$m\" ]; then\n"
      "  chmod \"$(stat -c %a -- \"$m\")\" -- " +
      fresh +
      "\n"
      "  chown \"$(stat -c %u:%g -- \"$m\")\" -- " +
      fresh +
      " 2>/dev/null || echo dbackup:owner\n"
      "fi\n"
      "if [ \"$1\" = settled ] && [ -s " +
      old +
      "-wal ]; then echo 'its log still holds something' >&2; exit 1; fi\n"
      "[ ! -d " +
      old + " ] && rm -f -- " + old + "-wal " + old + "-shm " + old + "-journal && mv -f -- " +
      fresh + " " + old + " && { sync -- " + shell_word(folder_of(to)) +
      " 2>/dev/null || sync; } && echo " + kPlaced + "\n");
  const std::string run_script = ".shell sh " + dot_word(script.path());
  ExitStatus status;
  bool is_database = exec.run({"test", "-e", to}).ok();
  if (is_database) {
    // What lies in the log is brought into the file first: when the new one cannot take its place
    // after the files beside the old one are gone, nothing of the old content is missing.
    auto argv = holder(to);
    argv.insert(argv.end(), {"COMMIT", "PRAGMA wal_checkpoint(TRUNCATE)", "BEGIN EXCLUSIVE",
                             run_script + " settled"});
    status = exec.run(argv);
    if (mentions(status, kMalformed) && status.output.find(kPlaced) == std::string::npos) {
      call.warning("the database that is replaced is damaged; its log is not kept");
      argv = holder(to);
      argv.push_back(run_script);
      status = exec.run(argv);
    }
    if (mentions(status, kLocked)) throw in_use(to);
    is_database = !mentions(status, kNoDatabase);
  }
  // Not there, or no database any more: there is nothing to hold.
  if (!is_database) status = exec.run({"sh", script.path()});
  if (status.output.find(kPlaced) == std::string::npos) {
    const std::string why = status.errors.substr(0, status.errors.find('\n'));
    throw Error{ErrorCode::Aborted,
                "cannot put \"" + to + "\" in its place" + (why.empty() ? "" : ": " + why),
                status.errors};
  }
  if (status.output.find("dbackup:owner") != std::string::npos) {
    call.warning("the owner of \"" + to + "\" could not be kept");
  }
}

void RemoteFile::cleanup_restore(Call& call, const std::string& name,
                                 const std::string& token) const {
  Leftover::remove(call, temporary_path(target(call, name), token));
}

}  // namespace dbackup::sqlite
