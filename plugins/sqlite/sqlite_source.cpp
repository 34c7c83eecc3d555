#include "sqlite_source.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "database.hpp"
#include "live_image.hpp"
#include "table_reader.hpp"

namespace dbackup::sqlite {
namespace {

constexpr size_t kBlock = 256 * 1024;
constexpr std::string_view kMagic{"SQLite format 3\0", 16};
constexpr size_t kHeaderBytes = 100;

Check check_named(const std::string& name) {
  if (name == "full") return Check::Full;
  if (name == "quick") return Check::Quick;
  if (name == "none") return Check::None;
  throw Error{ErrorCode::InvalidArgument, "\"restoreCheck\" must be full, quick or none"};
}

void require_header(std::span<const std::byte> head) {
  const std::string_view text{reinterpret_cast<const char*>(head.data()), head.size()};
  if (text.size() == kHeaderBytes && text.starts_with(kMagic)) return;
  throw Error{ErrorCode::InvalidArgument, "the backup is not an SQLite database"};
}

}  // namespace

SqliteSource::SqliteSource(const Config& config)
    : location_{config}, check_{check_named(config.text_or("restoreCheck", "full"))} {
  if (config.text_or("mode", "local") == "ssh") remote_.emplace(config);
}

TestResult SqliteSource::test(Call& call) {
  if (remote_) return remote_->test(call);
  Database database{call, location_.existing(), Database::Access::ReadWrite};
  database.integer("SELECT count(*) FROM sqlite_schema");
  return {.message = "SQLite connection successful.", .version = sqlite3_libversion()};
}

void SqliteSource::require_database(const std::string& name) const {
  if (name.empty() || name == location_.name()) return;
  throw Error{ErrorCode::NotFound,
              "there is no database \"" + name + "\" here, only \"" + location_.name() + "\""};
}

DumpResult SqliteSource::dump(Call& call, const DumpRequest& request, Writer& out) {
  require_database(request.database);
  if (remote_) return remote_->dump(call, out);
  stream_image(call, location_.existing(), out);
  return {.engine_version = sqlite3_libversion(), .already_compressed = false};
}

void SqliteSource::list_databases(Call& call,
                                  const std::function<void(const DatabaseInfo&)>& found) {
  if (remote_) return remote_->describe(call, found);
  Database database{call, location_.existing(), Database::Access::ReadWrite};
  DatabaseInfo info{.name = location_.name()};
  database.run("BEGIN");
  info.table_count = database.integer(
      "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' "
      "ESCAPE '\\'");
  info.size_bytes = database.integer("PRAGMA page_count") * database.integer("PRAGMA page_size");
  database.run("COMMIT");
  found(info);
}

void SqliteSource::tables(Call& call, const Config& request, ItemSink& sink) {
  require_database(request.text("database"));
  if (remote_) return remote_->tables(call, sink);
  TableReader{call, location_.existing()}.tables(sink);
}

void SqliteSource::rows(Call& call, const Config& request, ItemSink& sink) {
  const RowsRequest wanted = RowsRequest::parse(request);
  require_database(wanted.database);
  if (remote_) return remote_->rows(call, wanted, sink);
  TableReader{call, location_.existing()}.rows(wanted, sink);
}

void SqliteSource::prepare_restore(Call& call, const PrepareRestoreRequest& request) {
  for (const std::string& name : request.databases) {
    call.check_cancelled();
    if (remote_) {
      remote_->prepare_restore(call, name);
      continue;
    }
    const std::string target = location_.target(name);
    const std::string folder = folder_of(target);
    if (faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
      throw system_error(errno, "cannot write in folder \"" + folder + "\"");
    }
    if (look(target)) const ExclusiveLock free{target};
  }
}

void SqliteSource::restore(Call& call, const RestoreRequest& request, Reader& in) {
  std::array<std::byte, kHeaderBytes> head{};
  if (!remote_)
    location_.target(request.database);  // what cannot be is said before anything is read
  require_header(std::span{head}.first(in.read_full(head)));
  if (remote_) return remote_->restore(call, request, head, in, check_);
  const std::string target = location_.target(request.database);
  if (look(target)) const ExclusiveLock free{target};  // in use: no need to read the backup first

  Replacement replacement{call, target, request.token};
  replacement.write(head);
  std::vector<std::byte> block(kBlock);
  uint64_t done = head.size();
  while (true) {
    call.check_cancelled();
    const size_t n = in.read(block);
    if (n == 0) break;
    replacement.write(std::span{block}.first(n));
    done += n;
    call.progress(done, 0);
  }
  replacement.check(check_);
  replacement.commit(location_.target(""));
}

void SqliteSource::cleanup_restore(Call& call, const CleanupRestoreRequest& request) {
  if (remote_) return remote_->cleanup_restore(call, request.database, request.token);
  Replacement::remove_leftover(call, location_.target(request.database), request.token);
}

}  // namespace dbackup::sqlite
