#include "database.hpp"

#include <poll.h>

#include "location.hpp"

namespace dbackup::sqlite {
namespace {

constexpr int64_t kMostWaitMs = 15'000;
constexpr int kTickMs = 10;
constexpr int kStepsBetweenQuestions = 20'000;

struct Finalize {
  void operator()(sqlite3_stmt* raw) const noexcept { sqlite3_finalize(raw); }
};

ErrorCode code_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::Unavailable;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return ErrorCode::PermissionDenied;
    case SQLITE_NOTADB:
      return ErrorCode::FailedPrecondition;
    case SQLITE_CORRUPT:
    case SQLITE_IOERR:
      return ErrorCode::DataLoss;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return ErrorCode::ResourceExhausted;
    case SQLITE_INTERRUPT:
      return ErrorCode::Cancelled;
    default:
      return ErrorCode::Aborted;
  }
}

}  // namespace

Database::Database(const Call& call, const std::string& path, Access access)
    : call_{call}, path_{path} {
  const bool immutable = access == Access::Immutable;
  const std::string name = immutable ? immutable_uri(path) : path;
  const int flags = immutable ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  raw_.reset(raw);
  if (raw == nullptr) throw std::bad_alloc{};
  if (code != SQLITE_OK) throw error(code, sqlite3_errmsg(raw));
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_busy_handler(
      raw,
      [](void* self, int) -> int {
        auto& me = *static_cast<Database*>(self);
        if (me.call_.is_cancelled() || me.waited_ms_ >= kMostWaitMs) return 0;
        me.waited_ms_ += kTickMs;
        poll(nullptr, 0, kTickMs);
        return 1;
      },
      this);
  sqlite3_progress_handler(
      raw, kStepsBetweenQuestions,
      [](void* self) -> int { return static_cast<Database*>(self)->call_.is_cancelled() ? 1 : 0; },
      this);
}

Error Database::error(int code, const char* reason) const {
  if (call_.is_cancelled()) return Error{ErrorCode::Cancelled, "cancelled"};
  const std::string name = "\"" + path_ + "\"";
  switch (code & 0xff) {
    case SQLITE_NOTADB:
      return Error{code_of(code), name + " is not an SQLite database, or it is encrypted"};
    case SQLITE_BUSY:
      return Error{code_of(code), name + " is locked by another program"};
    case SQLITE_CORRUPT:
      return Error{code_of(code), name + " is damaged: " + reason};
    default:
      return Error{code_of(code), "cannot use " + name + ": " + reason};
  }
}

void Database::run(const std::string& sql, const std::function<void(sqlite3_stmt*)>& row,
                   const std::vector<std::string>& parameters) {
  waited_ms_ = 0;
  sqlite3_stmt* raw = nullptr;
  int code =
      sqlite3_prepare_v2(raw_.get(), sql.c_str(), static_cast<int>(sql.size()), &raw, nullptr);
  const std::unique_ptr<sqlite3_stmt, Finalize> statement{raw};
  if (code != SQLITE_OK) throw error(code, sqlite3_errmsg(raw_.get()));
  for (size_t i = 0; i < parameters.size(); ++i) {
    code = sqlite3_bind_text64(raw, static_cast<int>(i + 1), parameters[i].data(),
                               parameters[i].size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    if (code != SQLITE_OK) throw error(code, sqlite3_errmsg(raw_.get()));
  }
  while ((code = sqlite3_step(raw)) == SQLITE_ROW) {
    if (row) row(raw);
  }
  if (code != SQLITE_DONE) throw error(code, sqlite3_errmsg(raw_.get()));
}

int64_t Database::integer(const std::string& sql) {
  int64_t out = 0;
  run(sql, [&](sqlite3_stmt* row) { out = sqlite3_column_int64(row, 0); });
  return out;
}

std::string Database::text(const std::string& sql) {
  std::string out;
  run(sql, [&](sqlite3_stmt* row) {
    const auto* raw = reinterpret_cast<const char*>(sqlite3_column_text(row, 0));
    if (raw != nullptr) out = raw;
  });
  return out;
}

sqlite3_file* Database::file() const {
  sqlite3_file* out = nullptr;
  sqlite3_file_control(raw_.get(), "main", SQLITE_FCNTL_FILE_POINTER, &out);
  if (out == nullptr || out->pMethods == nullptr) {
    throw Error{ErrorCode::Internal, "SQLite gave no handle of \"" + path_ + "\""};
  }
  return out;
}

sqlite3_file* Database::log() const {
  sqlite3_file* out = nullptr;
  sqlite3_file_control(raw_.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &out);
  if (out == nullptr || out->pMethods == nullptr) {
    throw Error{ErrorCode::Internal, "SQLite gave no handle of the log of \"" + path_ + "\""};
  }
  return out;
}

std::string Database::serialized() const {
  sqlite3_int64 size = 0;
  unsigned char* raw = sqlite3_serialize(raw_.get(), "main", &size, 0);
  const std::unique_ptr<unsigned char, decltype(&sqlite3_free)> owned{raw, &sqlite3_free};
  if (raw == nullptr) throw std::bad_alloc{};
  return {reinterpret_cast<const char*>(raw), static_cast<size_t>(size)};
}

}  // namespace dbackup::sqlite
