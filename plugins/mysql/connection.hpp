#pragma once

#include <mysql.h>

#include <dbackup/exec.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dialect.hpp"
#include "login.hpp"

namespace dbackup::mysql {

/// Whether waiting for the server ends when the operation is cancelled. Cleaning up goes on, for
/// some seconds at most.
enum class Patience { UntilCancelled, Cleanup };

using Row = std::vector<std::optional<std::string>>;

/// What the server said to a statement it refused, beside the Error that carries it to the caller.
class ServerError : public Error {
 public:
  ServerError(ErrorCode code, unsigned number, const std::string& message, std::string detail = {})
      : Error{code, message, std::move(detail)}, number_{number} {}
  unsigned number() const noexcept { return number_; }

 private:
  unsigned number_;
};

/// One libmariadb connection in utf8mb4, without a current database unless one is named. Never
/// blocks without asking for cancellation (the look-up of a name excepted). Not thread-safe; `call`
/// outlives it. Never sends a local file to a server that asks for one.
class Connection {
 public:
  /// Throws Error: Unauthenticated, NotFound (no such database), PermissionDenied, Unavailable,
  /// FailedPrecondition (no encryption, or a certificate that does not fit), Cancelled.
  static Connection open(const Call& call, const Login& login, const std::string& database = "",
                         Patience patience = Patience::UntilCancelled);

  /// Runs one statement and returns its rows. Throws ServerError, or Error{Cancelled}: the
  /// connection is then gone, and whether the statement was done is unknown.
  std::vector<Row> query(std::string_view sql);
  void execute(std::string_view sql) { query(sql); }
  /// The first cell of the first row, or "".
  std::string value(std::string_view sql);

  /// `text` as an SQL literal, with its quotes. Only for the sql_mode "" that connections begin
  /// with.
  std::string literal(std::string_view text) const;

  const ServerVersion& version() const noexcept { return version_; }
  /// What the server said beside the last statement, which it did all the same.
  unsigned warning_count() const noexcept { return mysql_warning_count(raw_.get()); }
  unsigned long session_id() const noexcept { return session_id_; }
  /// Does the session's sql_mode take '\' in strings as it stands? The server says so with each
  /// answer.
  bool plain_backslash() const noexcept;

 private:
  struct Close {
    void operator()(MYSQL* raw) const noexcept { mysql_close(raw); }
  };

  Connection(const Call& call, Patience patience) : call_{call}, patience_{patience} {}
  void set_options(const Login& login);
  int wait_for(int events, int64_t deadline_ms) const;
  void run(const std::function<int()>& start, const std::function<int(int)>& go_on,
           int64_t deadline_ms);
  [[noreturn]] void fail() const;

  Call call_;
  Patience patience_;
  std::optional<Endpoint> endpoint_;  // before raw_: the way to the server goes last
  std::unique_ptr<MYSQL, Close> raw_;
  ServerVersion version_;
  unsigned long session_id_ = 0;
};

}  // namespace dbackup::mysql
