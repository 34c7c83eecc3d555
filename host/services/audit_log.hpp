#pragma once

#include <string>

#include "base/clock.hpp"
#include "model/audit.hpp"
#include "model/principal.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// Writes the audit log. Every change goes with one entry, in the transaction of the change, so that
/// neither is there without the other. [any-thread]
class AuditLog {
 public:
  AuditLog(Database& database, const Clock& clock) : database_{database}, clock_{clock} {}

  /// Inside the caller's transaction. `details`: an object without secrets.
  void write(Session& session, const Principal& who, AuditAction action, AuditResource resource,
             const std::string& resource_id, const Json& details = Json::object()) const;
  /// In a transaction of its own: for what changes nothing in the metadata, as an export.
  void write(const Principal& who, AuditAction action, AuditResource resource,
             const std::string& resource_id, const Json& details = Json::object()) const;

 private:
  Database& database_;
  const Clock& clock_;
};

}  // namespace dbackup::host
