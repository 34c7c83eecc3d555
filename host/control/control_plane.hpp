#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/secret_string.hpp"
#include "control/adapter_observer.hpp"
#include "control/adapter_resolver.hpp"
#include "control/catalog.hpp"
#include "control/context.hpp"
#include "control/notification.hpp"
#include "control/plugin_registry.hpp"
#include "control/queue.hpp"
#include "control/run_options.hpp"
#include "control/scheduler.hpp"
#include "control/sidecar_keys.hpp"
#include "control/system_notices.hpp"
#include "control/system_tasks.hpp"
#include "control/worker_client.hpp"

namespace dbackup::host {

struct ControlPlaneOptions {
  WorkerProgram worker;
  WorkerClient::Limits limits;
  std::vector<std::string> plugin_directories;  ///< built-in first
};

/// All parts of the control plane, made in the order in which they need each other. [any-thread]
class ControlPlane {
 public:
  /// `master_key`: 32 raw bytes, the one that `context.box` seals with.
  ControlPlane(ControlContext context, const SecretString& master_key, const ControlPlaneOptions& options);
  ~ControlPlane();

  /// Starts registry, queue and scheduler; returns at once.
  void start();
  /// Nothing is due any more; then see Queue::stop(). After it nothing is claimed any more; workers for requests still run.
  void stop(std::chrono::milliseconds grace);

  const ControlContext& context() const noexcept;
  WorkerClient& workers() noexcept;
  PluginRegistry& plugins() noexcept;
  AdapterResolver& resolver() noexcept;
  Catalog& catalog() noexcept;
  AdapterObserver& observer() noexcept;
  Queue& queue() noexcept;
  NotificationRouter& notifications() noexcept;
  SystemNotices& notices() noexcept;
  Scheduler& scheduler() noexcept;
  /// Work is added to it before start().
  SystemTasks& system_tasks() noexcept;
  SidecarKeys& sidecar_keys() noexcept;
  SecretsInMemory& secrets() noexcept;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace dbackup::host
