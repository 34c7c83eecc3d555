#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/nouns.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// Paths that runs may have left something at.
class ReservationStore {
 public:
  /// Throws Error{AlreadyExists} when (destination, path) is reserved by another run.
  void insert(Session& session, const Reservation& reservation) const;
  std::vector<Reservation> of_execution(Session& session, const std::string& execution_id) const;
  /// Of executions that have ended or do not exist: what reconcile has to look at.
  std::vector<Reservation> abandoned(Session& session) const;
  void remove(Session& session, const std::string& token) const;
};

/// Which backups of a destination: all that are set apply. `limit` 0: all of them.
struct BackupFilter {
  std::string job_id = {}, job_name = {};
  std::vector<std::pair<std::string, std::string>> labels = {};
  int64_t limit = 0, offset = 0;
};

/// The catalog of stored backups.
class BackupStore {
 public:
  /// Newest first: modified_at descending, then path descending.
  std::vector<StoredBackup> list(Session& session, const std::string& destination_id,
                                 const BackupFilter& filter = {}) const;
  bool has_any(Session& session, const std::string& destination_id) const;
  std::optional<StoredBackup> find(Session& session, const std::string& destination_id, const std::string& path) const;
  /// job_id or job_name "" = any.
  std::optional<StoredBackup> latest(Session& session, const std::string& destination_id,
                                     const std::string& job_id, const std::string& job_name) const;
  /// Inserts or replaces by (destination, path); keeps `locked` when it was set and `keep_lock`.
  void upsert(Session& session, const StoredBackup& backup) const;
  void set_locked(Session& session, const std::string& id, bool locked) const;
  void remove(Session& session, const std::string& destination_id, const std::string& path) const;
  /// The highest mark of the destination's rows; 0: it has none.
  TimeMs last_seen(Session& session, const std::string& destination_id) const;
  /// Marks the rows whose path begins with `folder` as seen.
  void keep_below(Session& session, const std::string& destination_id, const std::string& folder,
                  TimeMs seen_at) const;
  /// Drops rows of a destination that the listing at `seen_at` did not show.
  int64_t remove_unseen(Session& session, const std::string& destination_id, TimeMs seen_at) const;
  struct Totals {
    int64_t count = 0, size_bytes = 0;
  };
  /// Of all backups of a destination.
  Totals totals(Session& session, const std::string& destination_id) const;
  /// Paths of backups that name this encryption profile in their sidecar, at most `limit`.
  std::vector<std::string> using_profile(Session& session, const std::string& profile_id, int64_t limit) const;
};

}  // namespace dbackup::host
