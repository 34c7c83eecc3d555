#include "store/database_error.hpp"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <array>
#include <string>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

struct SqliteRow {
  int result;
  ErrorCode code;
  const char* message;
  const char* reason;
};

// https://www.sqlite.org/rescode.html: extended codes where they tell more.
constexpr std::array kSqlite{
    SqliteRow{2067, ErrorCode::AlreadyExists, "the name or key is already taken", ""},
    SqliteRow{1555, ErrorCode::AlreadyExists, "the name or key is already taken", ""},
    SqliteRow{787, ErrorCode::FailedPrecondition, "the row refers to something that does not exist, or is still in use", ""},
    SqliteRow{1811, ErrorCode::FailedPrecondition, "the row is still in use", ""},
    SqliteRow{5, ErrorCode::Unavailable, "the metadata database is busy", ""},
    SqliteRow{261, ErrorCode::Unavailable, "the metadata database is busy", ""},
    SqliteRow{517, ErrorCode::Unavailable, "the metadata database is busy", ""},
    SqliteRow{6, ErrorCode::Unavailable, "the metadata database is locked", ""},
    SqliteRow{8, ErrorCode::PermissionDenied, "the metadata database is read-only", ""},
    SqliteRow{11, ErrorCode::DataLoss, "the metadata database is damaged", ""},
    SqliteRow{26, ErrorCode::DataLoss, "the metadata file is no database", ""},
    SqliteRow{13, ErrorCode::ResourceExhausted, "the disk of the metadata database is full", "full"},
    SqliteRow{14, ErrorCode::Unavailable, "the metadata database cannot be opened", ""},
};

struct SqlstateRow {
  const char* prefix;
  ErrorCode code;
  const char* message;
};

// https://www.postgresql.org/docs/15/errcodes-appendix.html
constexpr std::array kSqlstates{
    SqlstateRow{"23505", ErrorCode::AlreadyExists, "the name or key is already taken"},
    SqlstateRow{"23503", ErrorCode::FailedPrecondition, "the row refers to something that does not exist, or is still in use"},
    SqlstateRow{"40", ErrorCode::Unavailable, "the metadata database asks to repeat the transaction"},
    SqlstateRow{"08", ErrorCode::Unavailable, "the metadata database cannot be reached"},
    SqlstateRow{"53100", ErrorCode::ResourceExhausted, "the disk of the metadata database is full"},
    SqlstateRow{"53", ErrorCode::Unavailable, "the metadata database is out of resources"},
    SqlstateRow{"57", ErrorCode::Unavailable, "the metadata database is shutting down"},
};

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// PostgreSQL's backend is loaded at run time, so its exception type is not linked: its message begins
// with the SQLSTATE only through sqlstate(), which the base class does not offer. The category does.
[[noreturn]] void rethrow_soci(const soci::soci_error& error) {
  const std::string detail = first_line(error.get_error_message());
  switch (error.get_error_category()) {
    case soci::soci_error::constraint_violation:
      throw Error(ErrorCode::AlreadyExists, "the name or key is already taken", detail);
    case soci::soci_error::connection_error:
      throw Error(ErrorCode::Unavailable, "the metadata database cannot be reached", detail);
    case soci::soci_error::no_privilege:
      throw Error(ErrorCode::PermissionDenied, "the metadata database refuses access", detail);
    default:
      break;
  }
  for (const auto& row : kSqlstates) {
    if (detail.find(std::string("SQLSTATE ") + row.prefix) != std::string::npos) {
      throw Error(row.code, row.message, detail);
    }
  }
  throw Error(ErrorCode::Internal, "the metadata database failed", detail);
}

}  // namespace

void rethrow_database_error() {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const soci::sqlite3_soci_error& error) {
    for (const auto& row : kSqlite) {
      if (row.result == error.result()) {
        throw Error(row.code, row.message, first_line(error.get_error_message()), row.reason);
      }
    }
    throw Error(ErrorCode::Internal, "the metadata database failed",
                first_line(error.get_error_message()));
  } catch (const soci::soci_error& error) {
    rethrow_soci(error);
  }
}

}  // namespace dbackup::host
