#pragma once

#include "model/audit.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// The audit log: appended to, read, cut at its old end.
class AuditStore {
 public:
  void insert(Session& session, const AuditEntry& entry) const;
  /// Returns how many went.
  int64_t remove_older_than(Session& session, TimeMs limit) const;
};

}  // namespace dbackup::host
