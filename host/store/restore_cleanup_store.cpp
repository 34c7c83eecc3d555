#include "store/restore_cleanup_store.hpp"

#include "store/query.hpp"

namespace dbackup::host {

void RestoreCleanupStore::insert(Session& session, const std::string& execution_id,
                                 TimeMs now) const {
  const long long at = now;
  Query query{session,
              "INSERT INTO restore_cleanups (execution_id, created_at) VALUES (:e, :c) "
              "ON CONFLICT (execution_id) DO NOTHING"};
  query.bind(execution_id).bind(at).run();
}

std::vector<std::string> RestoreCleanupStore::list(Session& session) const {
  std::string id;
  std::vector<std::string> out;
  Query query{session,
              "SELECT execution_id FROM restore_cleanups ORDER BY created_at, execution_id"};
  query.out(id);
  while (query.next()) out.push_back(id);
  return out;
}

void RestoreCleanupStore::remove(Session& session, const std::string& execution_id) const {
  Query{session, "DELETE FROM restore_cleanups WHERE execution_id = :e"}.bind(execution_id).run();
}

}  // namespace dbackup::host
