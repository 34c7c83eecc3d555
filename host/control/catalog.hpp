#pragma once

#include <memory>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "control/context.hpp"
#include "model/nouns.hpp"
#include "store/backup_store.hpp"

namespace dbackup::host {

class WorkerClient;
class AdapterResolver;
class SidecarKeys;
enum class WorkerLane;

/// What lies at the destinations. The store keeps what the last listing showed; the files and their
/// sidecars are the truth. Sidecars and everything below ".dbackup/" are not backups. [any-thread]
class Catalog {
 public:
  Catalog(const ControlContext& context, WorkerClient& workers, const AdapterResolver& resolver,
          const SidecarKeys& keys);
  ~Catalog();

  /// Newest first. A destination never listed, or `refresh`, is listed first; a listing older than two
  /// hours is answered and renewed in the background. Throws Error{NotFound} for an unknown
  /// destination, {InvalidArgument} when it is no storage, what the worker says when it cannot be listed.
  std::vector<StoredBackup> list(const std::string& destination_id, bool refresh = false,
                                 const BackupFilter& filter = {});
  /// Lists the destination once more before it throws Error{NotFound}.
  StoredBackup find(const std::string& destination_id, const std::string& path);
  /// Newest backup; `job_id`, `job_name` "": any.
  std::optional<StoredBackup> latest(const std::string& destination_id, const std::string& job_id,
                                     const std::string& job_name);

  /// Lists now; throws. A listing that fails leaves the rows as they are.
  void refresh(const std::string& destination_id);
  /// The same for work that nobody waits for: it yields to requests, and ends early when asked.
  void refresh_quietly(const std::string& destination_id, const std::stop_token& stop);

  /// Removes the backup and its side files. Locked ones too: the caller decides.
  void remove(const std::string& destination_id, const std::string& path);
  /// In the store and in the sidecar; a backup without sidecar is locked in the store alone.
  void set_locked(const std::string& destination_id, const std::string& path, bool locked);

  struct Verification {
    std::string status;  ///< passed, failed, no_metadata, no_checksum, download_error
    std::string expected, actual, error;
    TimeMs verified_at = 0;
  };
  /// Reads the whole backup, compares its hash, writes the outcome into the sidecar. Blocks. `call_lane`
  /// Run for the queue's runs. `trigger`: manual, post-upload, scheduled.
  struct VerifyOptions {
    std::string trigger = "manual";
    bool is_run = false;
    std::stop_token stop;
    std::function<void(int64_t done, int64_t total)> on_progress;
  };
  Verification verify(const std::string& destination_id, const std::string& path,
                      const VerifyOptions& options);

  /// The catalog row of a file and its sidecar's text ("": it has none).
  StoredBackup row_of(const std::string& destination_id, const std::string& path, int64_t size,
                      TimeMs modified_at, const std::string& sidecar_text) const;

 private:
  void refresh_in(const std::string& destination_id, WorkerLane lane, const std::stop_token& stop);
  /// Has listed the destination, or wants it listed, as list() says.
  void look_at(const std::string& destination_id, bool is_refresh);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dbackup::host
