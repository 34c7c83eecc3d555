#pragma once

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <string>
#include <vector>

#include "store/database.hpp"

namespace dbackup::host::testing {

/// What SQLite had to do for each statement of a session while this stands: rows of a table read
/// without an index, sorts, steps of its machine. Asks the database itself, so that no query can be
/// forgotten.
class StatementWatch {
 public:
  struct Seen {
    std::string sql;
    int scanned_rows = 0, sorts = 0, steps = 0;
  };

  explicit StatementWatch(Session& session)
      : connection_{
            static_cast<soci::sqlite3_session_backend*>(session.raw().get_backend())->conn_} {
    sqlite_api::sqlite3_trace_v2(connection_, SQLITE_TRACE_PROFILE, &note, this);
  }
  ~StatementWatch() { sqlite_api::sqlite3_trace_v2(connection_, 0, nullptr, nullptr); }
  StatementWatch(const StatementWatch&) = delete;
  StatementWatch& operator=(const StatementWatch&) = delete;

  const std::vector<Seen>& seen() const { return seen_; }
  int steps() const {
    int sum = 0;
    for (const Seen& one : seen_) sum += one.steps;
    return sum;
  }
  /// Statements that read a table from its beginning or sorted; "" when there was none.
  std::string faults() const {
    std::string out;
    for (const Seen& one : seen_) {
      if (one.sorts > 0) out += "sorts: " + one.sql + "\n";
      if (one.scanned_rows > 0) out += "scans: " + one.sql + "\n";
    }
    return out;
  }

 private:
  static int note(unsigned, void* self, void* statement, void*) {
    auto* prepared = static_cast<sqlite_api::sqlite3_stmt*>(statement);
    const auto status = [&](int what) {
      return sqlite_api::sqlite3_stmt_status(prepared, what, 1);
    };
    static_cast<StatementWatch*>(self)->seen_.push_back(
        {.sql = sqlite_api::sqlite3_sql(prepared),
         .scanned_rows = status(SQLITE_STMTSTATUS_FULLSCAN_STEP),
         .sorts = status(SQLITE_STMTSTATUS_SORT),
         .steps = status(SQLITE_STMTSTATUS_VM_STEP)});
    return 0;
  }

  sqlite_api::sqlite3* connection_;
  std::vector<Seen> seen_;
};

}  // namespace dbackup::host::testing
