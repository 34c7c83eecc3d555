#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.hpp"

namespace soci {
class session;
}

namespace dbackup::host {

/// One leased connection, inside a transaction or not. Belongs to one thread; valid inside the callback
/// it was handed to. Stores take it; nobody else looks inside.
class Session {
 public:
  Session(soci::session& raw, bool is_sqlite) noexcept : raw_{raw}, is_sqlite_{is_sqlite} {}
  soci::session& raw() noexcept { return raw_; }
  bool is_sqlite() const noexcept { return is_sqlite_; }

 private:
  soci::session& raw_;
  bool is_sqlite_;
};

struct DatabaseOptions {
  /// "sqlite:///path/metadata.db" or "postgresql://…".
  std::string url;
  int connections = 6;
};

/// The metadata database: a pool of connections. [any-thread]
class Database {
 public:
  /// Opens, checks and migrates. Throws Error: Unavailable when it cannot be reached, FailedPrecondition
  /// when its schema is newer than this program.
  static std::unique_ptr<Database> open(const DatabaseOptions& options);
  ~Database();

  /// Runs `body` on a connection, without a transaction. Waits at most 5 s for one (Unavailable).
  void read(const std::function<void(Session&)>& body);
  /// Runs `body` in a write transaction (SQLite: BEGIN IMMEDIATE); commits when it returns, rolls back when
  /// it throws. Not nestable. Library errors leave as Error with our codes: AlreadyExists for a broken
  /// unique constraint, FailedPrecondition for a foreign key, ResourceExhausted(full), Unavailable.
  void write(const std::function<void(Session&)>& body);
  /// True when a trivial query answers.
  bool is_alive() noexcept;
  bool is_sqlite() const noexcept;

 private:
  struct Pool;
  explicit Database(std::unique_ptr<Pool> pool);
  std::unique_ptr<Pool> pool_;
};

}  // namespace dbackup::host
