#pragma once

#include <sqlite3.h>

#include <dbackup/call.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace dbackup::sqlite {

/// One SQLite connection. Waits for other programs' locks and long statements ask for cancellation.
/// Closing it never checkpoints: a backup leaves the files beside the database as they were.
class Database {
 public:
  enum class Access {
    ReadWrite,  ///< needed to read a live database too: recovery and the WAL's index want to write
    Immutable,  ///< a file nobody else uses: no locks, no files beside it
  };
  /// Opens an existing file; it is not read yet. `call` outlives the connection. Throws Error.
  Database(const Call& call, const std::string& path, Access access);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs SQL with text parameters (?1, …); each row goes to `row`. Throws Error, see error().
  void run(const std::string& sql, const std::function<void(sqlite3_stmt*)>& row = {},
           const std::vector<std::string>& parameters = {});
  int64_t integer(const std::string& sql);
  std::string text(const std::string& sql);

  /// SQLite's own handle of the database file. Reading through any other descriptor and closing
  /// that one would drop every lock this process holds on the file.
  sqlite3_file* file() const;
  /// The handle of the write-ahead log, while a read transaction is open in WAL mode.
  sqlite3_file* log() const;

  /// The whole database as bytes; for small ones in memory.
  std::string serialized() const;

  int last_code() const noexcept { return sqlite3_extended_errcode(raw_.get()); }

 private:
  struct Close {
    void operator()(sqlite3* raw) const noexcept { sqlite3_close(raw); }
  };
  Error error(int code, const char* reason) const;

  Call call_;
  std::string path_;
  int64_t waited_ms_ = 0;
  std::unique_ptr<sqlite3, Close> raw_;
};

}  // namespace dbackup::sqlite
