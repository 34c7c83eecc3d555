#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "store/audit_store.hpp"

namespace dbackup::host {

/// One page of the audit log, newest first.
struct AuditPage {
  std::vector<AuditEntry> entries;
  std::map<std::string, AuditUser> users;  ///< those of the entries that have an account
  int64_t total = 0;                       ///< of all pages
};

struct AuditStats {
  std::vector<std::pair<std::string, int64_t>> actions, resources;
};

/// What was done, for those who may know. [any-thread]
class AuditReader {
 public:
  explicit AuditReader(Database& database) : database_{database} {}
  AuditPage list(const AuditFilter& filter) const;
  AuditStats stats() const;

 private:
  Database& database_;
};

}  // namespace dbackup::host
