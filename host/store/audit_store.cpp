#include "store/audit_store.hpp"

#include "store/query.hpp"

namespace dbackup::host {

void AuditStore::insert(Session& session, const AuditEntry& entry) const {
  const std::string details = dump_json(entry.details);
  const long long created_at = entry.created_at;
  Query query{session,
              "INSERT INTO audit_log (id, user_id, api_key_id, action, resource, resource_id, details, "
              "ip_address, user_agent, created_at) VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i, :j)"};
  query.bind(entry.id).bind(entry.user_id).bind(entry.api_key_id).bind(entry.action);
  query.bind(entry.resource).bind(entry.resource_id).bind(details).bind(entry.ip_address);
  query.bind(entry.user_agent).bind(created_at).run();
}

int64_t AuditStore::remove_older_than(Session& session, TimeMs limit) const {
  const long long before = limit;
  return Query{session, "DELETE FROM audit_log WHERE created_at < :at"}.bind(before).run();
}

}  // namespace dbackup::host
