#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/audit.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// Which entries a list shows; "" and nothing: any.
struct AuditFilter {
  std::string user_id, action, resource;
  std::optional<TimeMs> from, to;  ///< both included
  std::string search;  ///< part of id, details, address or program of an entry, in any case
  int64_t limit = 0, offset = 0;  ///< limit 0: all
};

/// Who did it, as far as there is an account.
struct AuditUser {
  std::string id, name, email, image;
};

/// The audit log: appended to, read, cut at its old end.
class AuditStore {
 public:
  void insert(Session& session, const AuditEntry& entry) const;
  /// Newest first.
  std::vector<AuditEntry> list(Session& session, const AuditFilter& filter) const;
  int64_t count(Session& session, const AuditFilter& filter) const;
  /// How many entries there are of each action, or of each resource, by name.
  std::vector<std::pair<std::string, int64_t>> count_by_action(Session& session) const;
  std::vector<std::pair<std::string, int64_t>> count_by_resource(Session& session) const;
  /// Those of these users that have an account still.
  std::map<std::string, AuditUser> users(Session& session, const std::set<std::string>& ids) const;
  /// Returns how many went.
  int64_t remove_older_than(Session& session, TimeMs limit) const;
};

}  // namespace dbackup::host
