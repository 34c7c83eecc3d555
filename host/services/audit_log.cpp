#include "services/audit_log.hpp"

#include "base/id.hpp"
#include "store/audit_store.hpp"

namespace dbackup::host {

void AuditLog::write(Session& session, const Principal& who, AuditAction action,
                     AuditResource resource, const std::string& resource_id,
                     const Json& details) const {
  AuditEntry entry{.id = new_uuid(),
                   .user_id = who.user_id,
                   .api_key_id = who.kind == PrincipalKind::ApiKey ? who.id : "",
                   .action = std::string{to_string(action)},
                   .resource = std::string{to_string(resource)},
                   .resource_id = resource_id,
                   .details = details};
  entry.ip_address = who.client_address;
  // A header of any length must not fill the log.
  entry.user_agent = who.user_agent.substr(0, 512);
  entry.created_at = clock_.now_ms();
  AuditStore{}.insert(session, entry);
}

void AuditLog::write(const Principal& who, AuditAction action, AuditResource resource,
                     const std::string& resource_id, const Json& details) const {
  database_.write(
      [&](Session& session) { write(session, who, action, resource, resource_id, details); });
}

}  // namespace dbackup::host
