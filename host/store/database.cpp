#include "store/database.hpp"

#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "base/unique_fd.hpp"
#include "store/before_write.hpp"
#include "store/database_error.hpp"
#include "store/migrations.hpp"
#include "store/transaction.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kSqliteScheme = "sqlite://";
constexpr std::string_view kPostgresScheme = "postgresql://";
constexpr int kLeaseMs = 5000;

/// Makes the file, because the library would make it readable for everybody; its companions take
/// its mode. An existing one is not even opened: closing it would drop the locks that SQLite holds
/// on it here.
void make_private_file(const std::string& path) {
  const UniqueFd file{::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!file && errno != EEXIST) throw_errno(errno, "cannot make the metadata \"" + path + "\"");
}

void prepare_sqlite(soci::session& session, const std::string& path) {
  if (path.find('"') != std::string::npos) {
    throw Error(ErrorCode::InvalidArgument, "the path of the metadata must not contain '\"'");
  }
  session.open(soci::sqlite3, "db=\"" + path + "\" timeout=5 synchronous=normal");
  auto* backend = static_cast<soci::sqlite3_session_backend*>(session.get_backend());
  sqlite_api::sqlite3_extended_result_codes(backend->conn_, 1);
  std::string mode;
  session << "PRAGMA journal_mode=WAL", soci::into(mode);
  if (mode != "wal") {
    throw Error(
        ErrorCode::FailedPrecondition,
        "the metadata database cannot use WAL on this file system (journal mode " + mode + ")");
  }
  session << "PRAGMA foreign_keys=ON";
}

/// A write inside a write of the same thread would wait for itself for ever.
class NoNesting {
 public:
  NoNesting() {
    if (is_writing) throw std::logic_error{"a metadata transaction inside another one"};
    is_writing = true;
  }
  ~NoNesting() { is_writing = false; }
  NoNesting(const NoNesting&) = delete;
  NoNesting& operator=(const NoNesting&) = delete;

 private:
  static inline thread_local bool is_writing = false;
};

}  // namespace

struct Database::Pool {
  explicit Pool(size_t size)
      : connections{size}, statements(size), seen_breaks(size), count{size} {}

  soci::connection_pool connections;
  std::vector<StatementCache> statements;  // one for each; they go before their connections
  // How often a connection was found broken, and up to which of them each has been looked at since:
  // a server that hung up has mostly dropped them all.
  std::atomic<uint64_t> breaks = 0;
  std::vector<uint64_t> seen_breaks;
  size_t count;
  bool is_sqlite = true;
  std::string url;  // of PostgreSQL

  static bool answers(soci::session& connection) noexcept {
    try {
      int one = 0;
      connection << "SELECT 1", soci::into(one);
      return one == 1;
    } catch (...) {
      return false;
    }
  }
  void connect(soci::session& connection) const {
    connection.open("postgresql", url);
    connection << "SET client_min_messages TO warning";  // notices would reach our stderr
  }
  // Writers of one process queue here instead of in SQLite's busy handler, which sleeps.
  std::mutex writers;

  class Lease {
   public:
    explicit Lease(Pool& pool) : pool_{pool} {
      if (!pool_.connections.try_lease(position_, kLeaseMs)) {
        throw Error(ErrorCode::Unavailable, "every connection to the metadata database is in use");
      }
      try {
        mend();
      } catch (...) {
        pool_.connections.give_back(position_);
        rethrow_database_error();
      }
    }
    ~Lease() { pool_.connections.give_back(position_); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Session session() {
      return {pool_.connections.at(position_), pool_.statements.at(position_), pool_.is_sqlite};
    }

    /// Whatever just failed on a connection that answers no more failed because of that.
    void rethrow_if_lost() {
      if (pool_.is_sqlite || answers(pool_.connections.at(position_))) return;
      ++pool_.breaks;
      throw Error(ErrorCode::Unavailable, "the connection to the metadata database was lost");
    }

   private:
    void mend() {
      if (pool_.is_sqlite) return;
      const uint64_t breaks = pool_.breaks;
      if (pool_.seen_breaks[position_] == breaks) return;
      soci::session& connection = pool_.connections.at(position_);
      if (!answers(connection)) {
        pool_.statements[position_].clear();
        connection.close();
        pool_.connect(connection);
      }
      pool_.seen_breaks[position_] = breaks;
    }

    Pool& pool_;
    size_t position_ = 0;
  };
};

Transaction::Transaction(Session& session) : session_{session} {
  // A deferred BEGIN that reads first and writes later fails at once when someone else committed.
  session_.raw() << (session_.is_sqlite() ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (is_done_) return;
  try {
    session_.raw().rollback();
  } catch (...) {  // the connection is gone, and the transaction with it
  }
}

void Transaction::commit() {
  session_.raw().commit();
  is_done_ = true;
}

Database::Database(std::unique_ptr<Pool> pool) : pool_{std::move(pool)} {}
Database::~Database() = default;

std::unique_ptr<Database> Database::open(const DatabaseOptions& options) {
  const auto size = static_cast<size_t>(options.connections);
  auto pool = std::make_unique<Pool>(size);
  try {
    if (options.url.starts_with(kSqliteScheme)) {
      const std::string path = options.url.substr(kSqliteScheme.size());
      make_private_file(path);
      for (size_t i = 0; i < size; ++i) prepare_sqlite(pool->connections.at(i), path);
    } else if (options.url.starts_with(kPostgresScheme)) {
      pool->is_sqlite = false;
      // SOCI takes the text apart at its first "=" and adds one where there is none, which would
      // become part of the database's name.
      pool->url = options.url;
      if (pool->url.find('=') == std::string::npos) pool->url += "?application_name=dbackup";
      for (size_t i = 0; i < size; ++i) pool->connect(pool->connections.at(i));
    } else {
      throw Error(ErrorCode::InvalidArgument,
                  "the metadata URL must begin with sqlite:// or postgresql://");
    }
    Session session{pool->connections.at(0), pool->statements.at(0), pool->is_sqlite};
    migrate(session);
  } catch (...) {
    rethrow_database_error();
  }
  return std::unique_ptr<Database>(new Database(std::move(pool)));
}

void Database::read(const std::function<void(Session&)>& body) {
  Pool::Lease lease{*pool_};
  Session session = lease.session();
  try {
    body(session);
  } catch (const Error&) {
    throw;
  } catch (...) {
    session.statements().clear();
    lease.rethrow_if_lost();
    rethrow_database_error();
  }
}

void Database::write(const std::function<void(Session&)>& body) {
  const NoNesting alone;
  std::unique_lock<std::mutex> turn;
  if (pool_->is_sqlite) turn = std::unique_lock{pool_->writers};
  Pool::Lease lease{*pool_};
  Session session = lease.session();
  try {
    Transaction transaction{session};
    BeforeWrite::run(session);
    body(session);
    transaction.commit();
    BeforeWrite::committed();
  } catch (const Error&) {
    throw;
  } catch (...) {
    session.statements().clear();
    lease.rethrow_if_lost();
    rethrow_database_error();
  }
}

bool Database::is_alive() noexcept {
  try {
    long long one = 0;
    read([&](Session& session) { session.raw() << "SELECT 1", soci::into(one); });
    return one == 1;
  } catch (...) {
    return false;
  }
}

bool Database::is_sqlite() const noexcept { return pool_->is_sqlite; }

}  // namespace dbackup::host
