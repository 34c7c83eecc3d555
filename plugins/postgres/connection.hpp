#pragma once

#include <libpq-fe.h>

#include <dbackup/exec.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "login.hpp"

namespace dbackup::postgres {

/// Whether waiting for the server ends when the operation is cancelled. Cleaning up goes on, for a
/// few seconds at most.
enum class Patience { UntilCancelled, Cleanup };

using Row = std::vector<std::optional<std::string>>;

/// One libpq connection. Never blocks without asking for cancellation. Not thread-safe; `call`
/// outlives it.
class Connection {
 public:
  /// Connects to exactly `database`. Throws Error: Unauthenticated, NotFound (no such database),
  /// PermissionDenied, Unavailable (server cannot be reached or is not ready), Cancelled.
  static Connection open(const Call& call, const Login& login, const std::string& database,
                         Patience patience = Patience::UntilCancelled);

  /// Connects to a database that is there on nearly every server: postgres, then template1, then
  /// each of `configured`; the first that lets us in.
  static Connection open_any(const Call& call, const Login& login,
                             const std::vector<std::string>& configured,
                             Patience patience = Patience::UntilCancelled);

  /// Runs one statement with text parameters and returns its rows. When the operation is cancelled
  /// the statement is stopped: Error{Cancelled} means that it was undone, rows that it was done
  /// already.
  std::vector<Row> query(const std::string& sql, const std::vector<std::string>& parameters = {});

  /// `name` as an SQL identifier, quoted.
  std::string identifier(const std::string& name) const;
  std::string literal(const std::string& text) const;

  /// "15.20".
  std::string server_version() const;
  int server_major() const { return PQserverVersion(raw_.get()) / 10000; }

 private:
  struct Close {
    void operator()(PGconn* raw) const noexcept { PQfinish(raw); }
  };

  Connection(const Call& call, Patience patience) : call_{call}, patience_{patience} {}
  void finish_connecting(const std::string& database);
  void wait_for(short events, int64_t deadline_ms, Patience patience) const;

  Call call_;
  Patience patience_;
  std::optional<Endpoint> endpoint_;  // before raw_: the way to the server goes last
  std::unique_ptr<PGconn, Close> raw_;
};

}  // namespace dbackup::postgres
