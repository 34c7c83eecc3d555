#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/observation.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// What was seen of adapters over time. Lists are newest first. The insertions throw
/// Error{FailedPrecondition} when the adapter is gone. All functions: [any-thread] with their own
/// Session.
class ObservationStore {
 public:
  void insert(Session& session, const HealthCheck& check) const;
  void insert(Session& session, const VersionChange& change) const;
  void insert(Session& session, const StorageSnapshot& snapshot) const;

  /// Those at `from` and later, at most `limit`.
  std::vector<HealthCheck> health(Session& session, const std::string& adapter_id, TimeMs from,
                                  int64_t limit) const;
  std::vector<VersionChange> versions(Session& session, const std::string& adapter_id,
                                      int64_t limit) const;
  std::vector<StorageSnapshot> snapshots(Session& session, const std::string& adapter_id,
                                         TimeMs from) const;

  /// Removes what is older; the number of rows removed.
  int64_t remove_health_before(Session& session, TimeMs at) const;
  int64_t remove_snapshots_before(Session& session, TimeMs at) const;
};

}  // namespace dbackup::host
