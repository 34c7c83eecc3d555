#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/unique_fd.hpp"
#include "control/worker_process.hpp"
#include "protocol/message.hpp"

namespace dbackup::host {

/// Which limit a worker counts against: Request, those that a caller of the API waits for; Run, those of
/// the queue, which bounds itself; Background, housekeeping, which waits for its turn without a limit.
enum class WorkerLane { Request, Run, Background };

/// One operation's surroundings.
struct WorkerCall {
  /// Log, progress, stage, item and start events, in order, in the calling thread.
  std::function<void(const protocol::Event&)> on_event;
  /// May the backup use this path? Called before any destination is opened; missing means yes. What it
  /// throws ends the operation and is thrown by run().
  std::function<bool(const std::string& path)> on_reserve;
  /// What the plugin and its tools printed, line by line, in the calling thread.
  std::function<void(const std::string& line)> on_output;
  std::stop_token stop;                   ///< asked to stop → {"op":"cancel"}, after 500 ms the group is killed
  std::chrono::milliseconds deadline{0};  ///< 0: none
  /// May an SSH server's first key be remembered? Not for those who only try something out.
  bool keeps_host_keys = true;
  WorkerLane lane = WorkerLane::Request;
};

/// How a fetch goes on after it has begun.
class FetchEnd {
 public:
  /// Waits until the worker has ended: "" when every byte of the range was delivered, else why not. Call
  /// it after the end of file of `bytes`.
  std::string wait();
  bool wait_ok() { return wait().empty(); }
  /// As wait(), without waiting: nullopt while the worker still runs.
  std::optional<std::string> poll() {
    const std::lock_guard lock{mutex_};
    return is_done_ ? std::optional{failure_} : std::nullopt;
  }
  /// The reader has gone: kills the worker. Idempotent.
  void abandon() noexcept { stop_.request_stop(); }

 private:
  friend class WorkerClient;
  void set(std::string failure);
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_done_ = false;
  std::string failure_;
  std::stop_source stop_;
};

/// Runs operations, each in a worker of its own. [any-thread]
class WorkerClient {
 public:
  struct Limits {
    size_t max_requests = 8;
    std::chrono::milliseconds max_wait{2000};  ///< for a slot of the Request lane
    std::chrono::milliseconds fetch_start{120'000};
    std::chrono::milliseconds greeting{30'000};
    std::chrono::milliseconds cancel_grace{500};  ///< from {"op":"cancel"} to SIGKILL
  };
  explicit WorkerClient(WorkerLauncher& launcher) : WorkerClient{launcher, "0", Limits{}} {}
  WorkerClient(WorkerLauncher& launcher, std::string program_version, Limits limits);
  /// Kills the fetches that still run and waits for them.
  ~WorkerClient();

  /// The "result" event's data. Throws Error: the worker's own (code, message, detail, reason);
  /// Internal "worker_crashed" when its process died, naming plugin and signal; Internal
  /// "worker_protocol" for garbage; DeadlineExceeded and Cancelled after the group is gone; Unavailable
  /// "busy" when all slots stayed taken. No worker of this call is left when it returns.
  Json run(protocol::Operation op, const Json& body, const WorkerCall& call = {});

  /// `seen` gets the data of every "host_key" event, in the thread that runs the operation. To be
  /// set before the first one. [one thread]
  void on_host_key(std::function<void(const Json&)> seen) { on_host_key_ = std::move(seen); }

  /// run(), collecting the "item" events' data.
  std::vector<Json> items(protocol::Operation op, const Json& body, WorkerCall call = {});

  struct Fetch {
    UniqueFd bytes;  ///< the pipe; blocking; end of file after `length` bytes, or early on a failure
    uint64_t total = 0, offset = 0, length = 0;
    std::shared_ptr<FetchEnd> end;
  };
  /// Starts a fetch and waits for its "start" event; from then on the bytes flow. Throws as run().
  Fetch fetch(const protocol::FetchRequest& request, std::stop_token stop = {});

 private:
  class Slot;
  struct Shared;
  WorkerCall watched(WorkerCall call) const;
  WorkerLauncher& launcher_;
  std::string program_version_;
  Limits limits_;
  std::shared_ptr<Shared> shared_;
  std::function<void(const Json&)> on_host_key_;
};

}  // namespace dbackup::host
