#include "store/migrations.hpp"

#include <soci/soci.h>

#include "store/database.hpp"
#include "store/transaction.hpp"

namespace dbackup::host {
namespace {

// One call each: SQLite's backend runs only the first statement of a list, silently.
std::vector<std::string> statements(std::string_view sql) {
  std::vector<std::string> out;
  std::string current;
  while (!sql.empty()) {
    const size_t end = sql.find('\n');
    const std::string_view line = sql.substr(0, end);
    sql = end == std::string_view::npos ? std::string_view{} : sql.substr(end + 1);
    if (line.substr(0, 2) == "--") continue;
    current.append(line).append("\n");
    if (!line.empty() && line.back() == ';') {
      out.push_back(current.substr(0, current.rfind(';')));
      current.clear();
    }
  }
  return out;
}

long long current_version(Session& session) {
  session.raw() << "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, "
                   "name TEXT NOT NULL)";
  long long version = 0;
  session.raw() << "SELECT COALESCE(MAX(version), 0) FROM schema_migrations", soci::into(version);
  return version;
}

void apply(Session& session, const Migration& migration) {
  Transaction transaction{session};
  // Read again inside the transaction: another host may have been faster.
  if (current_version(session) >= migration.version) return;
  for (const std::string& statement : statements(migration.sql)) session.raw() << statement;
  const long long version = migration.version;
  const std::string name{migration.name};
  session.raw() << "INSERT INTO schema_migrations (version, name) VALUES (:v, :n)",
      soci::use(version), soci::use(name);
  transaction.commit();
}

}  // namespace

void migrate(Session& session) {
  const long long newest = migrations().back().version;
  const long long version = current_version(session);
  if (version > newest) {
    throw Error(ErrorCode::FailedPrecondition,
                "the metadata has schema version " + std::to_string(version) +
                    ", but this program knows only up to " + std::to_string(newest) +
                    ": start the newer program it was written by");
  }
  for (const Migration& migration : migrations()) {
    if (migration.version > version) apply(session, migration);
  }
}

}  // namespace dbackup::host
