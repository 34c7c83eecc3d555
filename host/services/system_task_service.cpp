#include "services/system_task_service.hpp"

#include "base/error.hpp"
#include "control/control_plane.hpp"
#include "control/cron.hpp"
#include "services/audit_log.hpp"

namespace dbackup::host {

std::vector<SystemTaskView> SystemTaskService::list() const {
  const ControlContext& context = control_.context();
  const std::string zone = context.settings().time_zone;
  const TimeMs now = context.clock.now_ms();
  std::vector<SystemTaskView> out;
  context.database.read([&](Session& session) {
    for (const auto& row : system_task_table()) {
      SystemTaskView view{.row = &row, .chosen = control_.system_tasks().settings(session, row)};
      view.time_zone = zone;
      if (view.chosen.enabled && control_.system_tasks().can_run(row))
        view.next_run_at = next_fire(view.chosen.schedule, now, zone);
      out.push_back(std::move(view));
    }
  });
  return out;
}

void SystemTaskService::change(const Principal& who, const std::string& id, const Json& fields) {
  const SystemTaskRow& row = require_system_task(id);
  control_.context().database.write([&](Session& session) {
    SystemTaskSettings chosen = control_.system_tasks().settings(session, row);
    if (const auto schedule = get_string(fields, "schedule")) {
      CronSchedule::parse(*schedule);
      chosen.schedule = *schedule;
    }
    chosen.enabled = get_bool(fields, "enabled").value_or(chosen.enabled);
    chosen.run_on_startup = get_bool(fields, "runOnStartup").value_or(chosen.run_on_startup);
    control_.system_tasks().change(session, row, chosen);
    audit_.write(session, who, AuditAction::Update, AuditResource::System, id,
                 {{"schedule", chosen.schedule},
                  {"enabled", chosen.enabled},
                  {"runOnStartup", chosen.run_on_startup}});
  });
  control_.scheduler().refresh();
}

bool SystemTaskService::run(const Principal& who, const std::string& id) {
  control_.system_tasks().check_can_run(id);
  audit_.write(who, AuditAction::Execute, AuditResource::System, id, {{"task", id}});
  return control_.system_tasks().start_now(id);
}

}  // namespace dbackup::host
