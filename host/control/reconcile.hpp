#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "control/context.hpp"
#include "model/nouns.hpp"

namespace dbackup::host {

class WorkerClient;
class AdapterResolver;
class Catalog;
class SidecarKeys;

/// What became of the reserved path of one destination.
enum class ReservationFate {
  Adopted,      ///< the backup is whole and has its signed sidecar: it is in the catalog
  Removed,      ///< an unfinished file was there and is gone
  Absent,       ///< nothing was there
  Foreign,      ///< something that is not this run's is there; not touched
  Unreachable,  ///< the destination did not answer: the reservation stays for the next time
};

/// Sees after what runs that did not end by themselves may have left behind. [any-thread]
///
/// The instants of a backup, in the order in which they happen, and what a kill -9 of host or worker
/// leaves at each:
///
///   instant                                  store                       destination
///   ───────────────────────────────────────  ──────────────────────────  ──────────────────────────
///   1 row inserted by the API                Pending                     -        runs after restart
///   2 claimed by this host                   Running, host id            -        Failed: stopped
///   3 "reserve" answered (one transaction,   Running + reservations      -        nothing found, Failed
///     before any put is opened)
///   4 put under a temporary name             the same                    temporary with the token:
///                                                                        cleanup(token), Failed
///   5 destination committed                  the same                    path without sidecar: it was
///                                                                        absent before 3, so removed
///   6 sidecar written                        the same                    path + signed sidecar:
///                                                                        adopted
///   7 result: one transaction writes status, Success/Partial/Failed,     path + sidecar
///     catalog rows, drops the reservations   no reservations
///     of the destinations that succeeded
///   8 notifications                          the same                    the same
///
/// Between 3 and 7 the reservations say where to look; a run is a Success after a crash only if every
/// reserved destination reached 6. Status, catalog and reservations change together (7), so no
/// instant shows a success without its backups, or backups nobody looks after. A row is claimed by a
/// conditional update (2) and never goes back to Pending: no run happens twice.
class Reconciler {
 public:
  Reconciler(const ControlContext& context, WorkerClient& workers, const AdapterResolver& resolver,
             Catalog& catalog, const SidecarKeys& keys)
      : context_{context}, workers_{workers}, resolver_{resolver}, catalog_{catalog}, keys_{keys} {}

  /// Running rows of other processes: their reservations are looked at, then each ends as Success
  /// (all adopted), Partial (some) or Failed. Blocks on the destinations. Never throws for one row.
  void end_dead_runs();

  /// The same for one row that nobody runs; false when it was no longer Running. Throws when the store
  /// fails.
  bool end_dead_run(const Execution& run);

  /// Reservations whose run has ended; those of one destination only unless "". Returns how many stay.
  /// `cancel` ends it early.
  size_t sweep(const std::string& destination_id = "", std::stop_token cancel = {});

  /// Cleans up, once more, after ended restores whose target could not be cleaned up.
  void finish_restores();

  /// Ends what is under way within a second, for good: what was not finished is left to the next start.
  void stop() noexcept { stop_.request_stop(); }

  /// Looks at one reservation; removes it unless Unreachable. `is_foreign`: the run itself learned that
  /// the path was taken by somebody else, so nothing but temporaries may be removed.
  ReservationFate settle(const Reservation& reservation, bool is_foreign = false,
                         std::stop_token cancel = {});

 private:
  class Turn;
  struct Outcome {
    ReservationFate fate = ReservationFate::Absent;
    std::optional<StoredBackup> adopted;
  };
  /// Looks and tidies at the destination; may be repeated. Changes nothing in the store.
  Outcome inspect(const Reservation& reservation, bool is_foreign, const std::stop_token& cancel);
  void note(Session& session, const Reservation& reservation, const Outcome& outcome);
  void note_recovery(Session& session, const Reservation& reservation);
  bool is_open(const Reservation& reservation);

  const ControlContext& context_;
  WorkerClient& workers_;
  const AdapterResolver& resolver_;
  Catalog& catalog_;
  const SidecarKeys& keys_;
  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> busy_;  ///< tokens
};

}  // namespace dbackup::host
