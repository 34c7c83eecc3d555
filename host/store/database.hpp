#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/error.hpp"

namespace soci {
class session;
}

namespace dbackup::host {

/// Statements that stay prepared on one connection: preparing costs more than most reads. Keyed by type.
class StatementCache {
 public:
  /// The T of this connection, made by T{session} at first use.
  template <class T, class Session>
  T& get(Session& session) {
    static const char key = 0;
    auto& slot = statements_[&key];
    if (!slot) slot = std::make_shared<T>(session);
    return *static_cast<T*>(slot.get());
  }
  /// A statement that failed may be half made or stand in the middle of a result: the next use makes
  /// it anew.
  void clear() noexcept { statements_.clear(); }

 private:
  std::map<const void*, std::shared_ptr<void>> statements_;
};

/// One leased connection, inside a transaction or not. Belongs to one thread; valid inside the callback
/// it was handed to. Stores take it; nobody else looks inside.
class Session {
 public:
  Session(soci::session& raw, StatementCache& statements, bool is_sqlite) noexcept
      : raw_{raw}, statements_{statements}, is_sqlite_{is_sqlite} {}
  soci::session& raw() noexcept { return raw_; }
  StatementCache& statements() noexcept { return statements_; }
  bool is_sqlite() const noexcept { return is_sqlite_; }

 private:
  soci::session& raw_;
  StatementCache& statements_;
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
