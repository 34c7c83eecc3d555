#include "services/audit_reader.hpp"

namespace dbackup::host {

AuditPage AuditReader::list(const AuditFilter& filter) const {
  AuditPage out;
  database_.read([&](Session& session) {
    const AuditStore store;
    out.entries = store.list(session, filter);
    out.total = store.count(session, filter);
    std::set<std::string> ids;
    for (const auto& entry : out.entries) ids.insert(entry.user_id);
    ids.erase("");
    out.users = store.users(session, ids);
  });
  return out;
}

AuditStats AuditReader::stats() const {
  AuditStats out;
  database_.read([&](Session& session) {
    out.actions = AuditStore{}.count_by_action(session);
    out.resources = AuditStore{}.count_by_resource(session);
  });
  return out;
}

}  // namespace dbackup::host
