#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>

#include "control/adapter_resolver.hpp"
#include "control/catalog.hpp"
#include "control/sidecar_keys.hpp"
#include "control/worker_client.hpp"

namespace dbackup::host {

/// What the two source files of Catalog share.
struct Catalog::State {
  const ControlContext& context;
  WorkerClient& workers;
  const AdapterResolver& resolver;
  const SidecarKeys& keys;

  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, TimeMs> listed_at;  ///< by destination, in this process
  std::map<std::string, std::shared_ptr<std::mutex>> listing;
  std::set<std::string> wanted;  ///< to be listed in the background
  std::stop_source stop;
  std::thread background;

  std::shared_ptr<std::mutex> listing_lock(const std::string& destination_id) {
    const std::lock_guard lock{mutex};
    auto& found = listing[destination_id];
    if (!found) found = std::make_shared<std::mutex>();
    return found;
  }

  /// The adapter of a destination. Throws Error{NotFound}, {InvalidArgument}.
  protocol::AdapterRef storage(const std::string& destination_id) const;
  /// Replaces the sidecar at the destination and in the store; signed if it was.
  void write_sidecar(StoredBackup& backup, const struct Sidecar& sidecar, WorkerLane lane);
};

}  // namespace dbackup::host
