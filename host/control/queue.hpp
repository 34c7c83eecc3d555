#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "control/context.hpp"

namespace dbackup::host {

class AdapterResolver;
class Catalog;
class NotificationRouter;
class Reconciler;
class RecorderWriter;
class SecretsInMemory;
class SidecarKeys;
class WorkerClient;
class PluginRegistry;

/// What runs are made with.
struct RunParts {
  const ControlContext& context;
  WorkerClient& workers;
  const PluginRegistry& plugins;
  const AdapterResolver& resolver;
  const SidecarKeys& keys;
  Catalog& catalog;
  Reconciler& reconciler;
  RecorderWriter& recorders;
  NotificationRouter& notifications;
  SecretsInMemory& secrets;
};

enum class CancelOutcome {
  Cancelled,     ///< it was waiting, and has ended at once
  Signalled,     ///< this process runs it; it ends by itself within about a second
  Forced,        ///< nobody ran it any more; the row has ended
  AlreadyEnded,
  Unknown,       ///< no such execution
};

/// Claims waiting executions in the order in which they came, at most `max_concurrent_jobs` at a time
/// over all hosts of the database, and runs them: types Backup, Restore and Verification. [any-thread]
class Queue {
 public:
  explicit Queue(const RunParts& parts);
  ~Queue();  ///< stop() without grace

  /// Reconciles what dead processes left, then claims; both in the queue's own thread.
  void start();
  /// There may be something to claim. Cheap.
  void kick();
  /// `actor` for the reason shown: "cancelled by <actor>".
  CancelOutcome cancel(const std::string& execution_id, const std::string& actor = "");
  /// Claims nothing more, waits for running ones up to `grace`, then cancels them; waiting rows stay
  /// Pending. Returns when no run is left. Idempotent.
  void stop(std::chrono::milliseconds grace);

  /// Ends runs of this process, as Failed, that have shown no progress for `limit`. Returns how many were
  /// told to.
  size_t end_stuck(std::chrono::milliseconds limit);

  size_t running() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dbackup::host
