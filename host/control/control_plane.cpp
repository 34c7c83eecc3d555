#include "control/control_plane.hpp"

#include "control/execution_recorder.hpp"
#include "control/reconcile.hpp"
#include "control/ssh_trust.hpp"
#include "control/task_work.hpp"

namespace dbackup::host {

/// Members in the order in which they need each other; they go the other way round.
struct ControlPlane::Parts {
  Parts(ControlContext given, const SecretString& master_key, const ControlPlaneOptions& options)
      : context{std::move(given)},
        keys{master_key},
        launcher{options.worker},
        workers{launcher, context.program_version, options.limits},
        plugins{context, workers, options.plugin_directories},
        resolver{context, plugins},
        catalog{context, workers, resolver, keys},
        reconciler{context, workers, resolver, catalog, keys},
        recorders{context},
        notifications{context, workers, resolver},
        notices{notifications},
        observer{context, workers, plugins, resolver, catalog, {},
                 [this](Json event) { notices.tell(std::move(event)); }},
        queue{RunParts{context, workers, plugins, resolver, keys, catalog, reconciler, recorders,
                       notifications, secrets}},
        tasks{context},
        scheduler{context, tasks, [this] { queue.kick(); }} {
    workers.on_host_key([this](const Json& seen) { keep_host_key(this->context, seen); });
    add_control_tasks(tasks, context, catalog, queue, observer);
  }

  ControlContext context;
  SecretsInMemory secrets;
  SidecarKeys keys;
  WorkerLauncher launcher;
  WorkerClient workers;
  PluginRegistry plugins;
  AdapterResolver resolver;
  Catalog catalog;
  Reconciler reconciler;
  RecorderWriter recorders;
  NotificationRouter notifications;
  SystemNotices notices;
  AdapterObserver observer;
  Queue queue;
  SystemTasks tasks;
  Scheduler scheduler;
};

ControlPlane::ControlPlane(ControlContext context, const SecretString& master_key,
                           const ControlPlaneOptions& options)
    : parts_{std::make_unique<Parts>(std::move(context), master_key, options)} {}

ControlPlane::~ControlPlane() = default;

void ControlPlane::start() {
  parts_->plugins.start();
  parts_->queue.start();
  parts_->scheduler.start();
}

void ControlPlane::stop(std::chrono::milliseconds grace) {
  parts_->scheduler.stop();
  parts_->tasks.stop();
  parts_->queue.stop(grace);
}

const ControlContext& ControlPlane::context() const noexcept { return parts_->context; }
WorkerClient& ControlPlane::workers() noexcept { return parts_->workers; }
PluginRegistry& ControlPlane::plugins() noexcept { return parts_->plugins; }
AdapterResolver& ControlPlane::resolver() noexcept { return parts_->resolver; }
Catalog& ControlPlane::catalog() noexcept { return parts_->catalog; }
AdapterObserver& ControlPlane::observer() noexcept { return parts_->observer; }
Queue& ControlPlane::queue() noexcept { return parts_->queue; }
NotificationRouter& ControlPlane::notifications() noexcept { return parts_->notifications; }
SystemNotices& ControlPlane::notices() noexcept { return parts_->notices; }
Scheduler& ControlPlane::scheduler() noexcept { return parts_->scheduler; }
SystemTasks& ControlPlane::system_tasks() noexcept { return parts_->tasks; }
SidecarKeys& ControlPlane::sidecar_keys() noexcept { return parts_->keys; }
SecretsInMemory& ControlPlane::secrets() noexcept { return parts_->secrets; }

}  // namespace dbackup::host
