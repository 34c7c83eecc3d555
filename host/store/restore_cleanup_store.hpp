#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// Restores whose target still holds something unfinished. Stateless; throws as Query.
class RestoreCleanupStore {
 public:
  /// One that is there already stays as it is.
  void insert(Session& session, const std::string& execution_id, TimeMs now) const;
  /// Oldest first.
  std::vector<std::string> list(Session& session) const;
  void remove(Session& session, const std::string& execution_id) const;
};

}  // namespace dbackup::host
