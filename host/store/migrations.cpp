#include "store/migrations.hpp"

#include <soci/soci.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "store/database.hpp"
#include "store/query.hpp"
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

std::set<std::string> applied(Session& session) {
  session.raw() << "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, "
                   "name TEXT NOT NULL)";
  std::string name;
  std::set<std::string> names;
  Query query{session, "SELECT name FROM schema_migrations"};
  query.out(name);
  while (query.next()) names.insert(name);
  return names;
}

void apply(Session& session, const Migration& migration) {
  Transaction transaction{session};
  const std::string name{migration.name};
  // Read again inside the transaction: another host may have been faster.
  if (applied(session).contains(name)) return;
  for (const std::string& statement : statements(migration.sql)) session.raw() << statement;
  session.raw() << "INSERT INTO schema_migrations (version, name) VALUES ((SELECT "
                   "COALESCE(MAX(version), 0) + 1 FROM schema_migrations), :n)",
      soci::use(name);
  transaction.commit();
}

}  // namespace

void migrate(Session& session) {
  const std::set<std::string> there = applied(session);
  for (const std::string& name : there) {
    const auto known = std::ranges::find(migrations(), name, &Migration::name);
    if (known != migrations().end()) continue;
    throw Error(
        ErrorCode::FailedPrecondition,
        "the metadata has the schema step \"" + name +
            "\", which this program does not know: start the newer program it was written by");
  }
  for (const Migration& migration : migrations()) {
    if (!there.contains(std::string{migration.name})) apply(session, migration);
  }
}

}  // namespace dbackup::host
