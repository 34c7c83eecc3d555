#include "api/resources/executions_resource.hpp"

#include "api/render.hpp"
#include "api/schemas.hpp"
#include "services/services.hpp"

namespace dbackup::host {

const Route<ExecutionsResource> ExecutionsResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/executions/{id}",
     .access = Permission::HistoryRead,
     .handler = &ExecutionsResource::get,
     .summary = "State of a run, with its log when asked for",
     .section = "Executions",
     .query = schemas::execution_query,
     .response = schemas::execution,
     .failures = kMissing,
     .etag = true},
    {.method = Method::Post,
     .path = "/api/executions/{id}/cancel",
     .access = Permission::JobsExecute,
     .handler = &ExecutionsResource::cancel,
     .summary = "Cancel a waiting or running execution",
     .section = "Executions",
     .response = schemas::cancel_answer,
     .failures = kMissingOrBad},
    {.method = Method::Get,
     .path = "/api/history",
     .access = Permission::HistoryRead,
     .handler = &ExecutionsResource::history,
     .summary = "The newest 100 runs",
     .section = "Executions",
     .response = schemas::history},
};

void ExecutionsResource::mount(RouteTable& table) {
  table.mount<ExecutionsResource>(*this, kRoutes);
}

HttpResponse ExecutionsResource::get(const ApiRequest& request, const Principal&) {
  const bool with_logs = request.flag("includeLogs");
  const TimeMs now = services_.control.context().clock.now_ms();
  std::string body = R"({"success":true,"data":)";
  services_.executions.visit(
      request.param(), with_logs,
      [&](const Execution& run, const std::string& labels, const std::vector<LogEntry>& logs) {
        body += render::execution_text(run, labels, with_logs ? &logs : nullptr, now);
      });
  body += '}';
  return HttpResponse::json(200, std::move(body));
}

HttpResponse ExecutionsResource::cancel(const ApiRequest& request, const Principal& who) {
  return json_answer(
      200, {{"success", true}, {"message", services_.executions.cancel(who, request.param())}});
}

HttpResponse ExecutionsResource::history(const ApiRequest&, const Principal&) {
  Json executions = Json::array();
  for (const auto& run : services_.executions.history())
    executions.push_back(render::history_item(run));
  return json_answer(200, {{"executions", std::move(executions)},
                           {"systemTimezone", services_.control.context().settings().time_zone}});
}

}  // namespace dbackup::host
