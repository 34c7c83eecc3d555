#include "api/resources/system_tasks_resource.hpp"

#include "api/render.hpp"
#include "api/schemas_settings.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

constexpr int kRunFailures[] = {400, 404, 501, 503};

Json row_json(const SystemTaskView& view) {
  return {{"id", view.row->id},
          {"label", view.row->label},
          {"description", view.row->description},
          {"schedule", view.chosen.schedule},
          {"runOnStartup", view.chosen.run_on_startup},
          {"enabled", view.chosen.enabled},
          {"lastRunAt", render::date_or_null(view.chosen.last_run_at)},
          {"nextRunAt", render::date_or_null(view.next_run_at)},
          {"timezone", view.time_zone}};
}

}  // namespace

const Route<SystemTasksResource> SystemTasksResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/settings/system-tasks",
     .access = Permission::SettingsRead,
     .handler = &SystemTasksResource::list,
     .summary = "The work of the server itself, and when it runs",
     .section = "Settings",
     .response = schemas::system_tasks},
    {.method = Method::Post,
     .path = "/api/settings/system-tasks",
     .access = Permission::SettingsWrite,
     .handler = &SystemTasksResource::change,
     .summary = "Change when a task runs; what is left out stays",
     .section = "Settings",
     .body = BodyRule::Required,
     .request = schemas::system_task_change,
     .response = schema::success_answer,
     .failures = kMissingOrBad},
    {.method = Method::Put,
     .path = "/api/settings/system-tasks",
     .access = Permission::SettingsWrite,
     .handler = &SystemTasksResource::run,
     .summary = "Run a task now; the answer does not wait for its end",
     .section = "Settings",
     .body = BodyRule::Required,
     .request = schemas::system_task_run_request,
     .response = schemas::system_task_run,
     .failures = kRunFailures},
};

void SystemTasksResource::mount(RouteTable& table) {
  table.mount<SystemTasksResource>(*this, kRoutes);
}

HttpResponse SystemTasksResource::list(const ApiRequest&, const Principal&) {
  Json out = Json::array();
  for (const auto& view : services_.system_tasks.list()) out.push_back(row_json(view));
  return json_answer(200, out);
}

HttpResponse SystemTasksResource::change(const ApiRequest& request, const Principal& who) {
  services_.system_tasks.change(who, require_string(request.body, "taskId"), request.body);
  return json_answer(200, {{"success", true}});
}

HttpResponse SystemTasksResource::run(const ApiRequest& request, const Principal& who) {
  const bool has_begun = services_.system_tasks.run(who, require_string(request.body, "taskId"));
  return json_answer(200, {{"success", true},
                           {"message", has_begun ? "Task started" : "Task is already running"},
                           {"executionId", nullptr}});
}

}  // namespace dbackup::host
