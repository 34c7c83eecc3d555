#include "control/task_work.hpp"

#include <chrono>

#include "base/error.hpp"
#include "base/logging.hpp"
#include "control/adapter_observer.hpp"
#include "control/catalog.hpp"
#include "control/notification_log.hpp"
#include "control/queue.hpp"
#include "store/adapter_store.hpp"
#include "store/audit_store.hpp"
#include "store/observation_store.hpp"

namespace dbackup::host {
namespace {

constexpr TimeMs kDay = TimeMs{24} * 3600 * 1000;

/// One after the other: a listing is a worker, and requests need theirs as well.
std::string list_destinations(const ControlContext& context, Catalog& catalog,
                              const std::stop_token& stop) {
  std::vector<AdapterConfig> destinations;
  context.database.read(
      [&](Session& session) { destinations = AdapterStore{}.list(session, "storage"); });
  size_t listed = 0;
  size_t failed = 0;
  for (const auto& row : destinations) {
    if (stop.stop_requested() || row.storage_role != "DESTINATION") continue;
    try {
      catalog.refresh_quietly(row.id, stop);
      ++listed;
    } catch (const Error& error) {
      if (stop.stop_requested()) break;  // no fault of the destination
      ++failed;
      log_warning("the destination \"" + row.name + "\" cannot be listed: " + error.what());
    }
  }
  if (listed + failed == 0) return "";
  return std::to_string(listed) + " destination(s) listed" +
         (failed == 0 ? "" : ", " + std::to_string(failed) + " could not be");
}

std::string end_stuck_runs(const ControlContext& context, Queue& queue) {
  const auto limit = context.live.now()->integer("execution.stuck_timeout_minutes");
  if (limit == 0) return "";
  const size_t ended = queue.end_stuck(std::chrono::minutes{limit});
  return ended == 0 ? "" : std::to_string(ended) + " run(s) without progress ended";
}

}  // namespace

void add_control_tasks(SystemTasks& tasks, const ControlContext& context, Catalog& catalog, Queue& queue,
                       AdapterObserver& observer) {
  tasks.add("system.warmup_storage_cache", [&context, &catalog](const std::stop_token& stop) {
    return list_destinations(context, catalog, stop);
  });
  tasks.add("system.stuck_execution_check",
            [&context, &queue](const std::stop_token&) { return end_stuck_runs(context, queue); });
  tasks.add("system.sync_permissions", [](const std::stop_token&) {
    return std::string{"nothing to do: SuperAdmin holds every permission by what it is"};
  });
  // What it finds is told where it is found: the log says what has changed.
  tasks.add("system.health_check", [&observer](const std::stop_token& stop) {
    observer.health_check(stop);
    return std::string{};
  });
  tasks.add("system.update_db_versions", [&observer](const std::stop_token& stop) {
    observer.update_db_versions(stop);
    return std::string{};
  });
  tasks.add("system.refresh_storage_stats", [&observer](const std::stop_token& stop) {
    observer.refresh_storage_stats(stop);
    return std::string{};
  });
  tasks.add_sweep({"health checks", [](Session& session, const Settings& settings, TimeMs now) {
                     return ObservationStore{}.remove_health_before(
                         session, now - settings.integer("healthcheck.log_retention_days") * kDay);
                   }});
  tasks.add_sweep({"sizes of destinations", [](Session& session, const Settings& settings, TimeMs now) {
                     return ObservationStore{}.remove_snapshots_before(
                         session, now - settings.integer("storage.snapshot_retention_days") * kDay);
                   }});
  tasks.add_sweep({"audit entries", [](Session& session, const Settings& settings, TimeMs now) {
                     return AuditStore{}.remove_older_than(
                         session, now - settings.integer("audit.retention_days") * kDay);
                   }});
  tasks.add_sweep({"notification log entries", &sweep_notification_log});
}

}  // namespace dbackup::host
