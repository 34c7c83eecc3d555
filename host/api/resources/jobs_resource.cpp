#include "api/resources/jobs_resource.hpp"

#include <chrono>

#include "api/bulk_body.hpp"
#include "api/page.hpp"
#include "api/render.hpp"
#include "api/run_follower.hpp"
#include "api/schemas.hpp"
#include "base/json_writer.hpp"
#include "services/adapter_fields.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {
constexpr int kRunFailures[] = {400, 404, 409, 422, 501};
}

const Route<JobsResource> JobsResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/jobs",
     .access = Permission::JobsRead,
     .handler = &JobsResource::list,
     .summary = "All jobs, newest first",
     .section = "Jobs",
     .query = schemas::jobs_query,
     .response = schemas::job_list},
    {.method = Method::Post,
     .path = "/api/jobs",
     .access = Permission::JobsWrite,
     .handler = &JobsResource::create,
     .summary = "Create a job",
     .section = "Jobs",
     .body = BodyRule::Required,
     .request = schemas::job_create,
     .response = schemas::job,
     .success = 201,
     .failures = kCreateFailures,
     .idempotent = true},
    {.method = Method::Get,
     .path = "/api/jobs/{id}",
     .access = Permission::JobsRead,
     .handler = &JobsResource::get,
     .summary = "One job",
     .section = "Jobs",
     .response = schemas::job,
     .failures = kMissing,
     .etag = true},
    {.method = Method::Put,
     .path = "/api/jobs/{id}",
     .access = Permission::JobsWrite,
     .handler = &JobsResource::update,
     .summary = "Change a job; what is left out stays",
     .section = "Jobs",
     .body = BodyRule::Required,
     .request = schemas::job_update,
     .response = schemas::job,
     .failures = kChangeFailures,
     .etag = true},
    {.method = Method::Delete,
     .path = "/api/jobs/{id}",
     .access = Permission::JobsWrite,
     .handler = &JobsResource::remove,
     .summary = "Delete a job; its backups and executions stay",
     .section = "Jobs",
     .response = schema::success_answer,
     .failures = kMissing,
     .etag = true},
    {.method = Method::Post,
     .path = "/api/jobs/{id}/clone",
     .access = Permission::JobsWrite,
     .handler = &JobsResource::clone,
     .summary = "Copy a job with all its fields; the copy is disabled",
     .section = "Jobs",
     .body = BodyRule::Optional,
     .request = schemas::job_clone,
     .response = schemas::job,
     .success = 201,
     .failures = kCreateFailures,
     .idempotent = true},
    {.method = Method::Post,
     .path = "/api/jobs/bulk",
     .access = Permission::JobsWrite,
     .handler = &JobsResource::bulk,
     .summary = "Delete, enable or disable several jobs",
     .section = "Jobs",
     .body = BodyRule::Required,
     .request = schemas::jobs_bulk,
     .response = schemas::bulk_answer,
     .failures = kBadRequest},
    {.method = Method::Post,
     .path = "/api/jobs/{id}/run",
     .access = Permission::JobsExecute,
     .handler = &JobsResource::run,
     .summary = "Start a job; follow it at /api/executions/{executionId}",
     .section = "Jobs",
     .query = schemas::wait_query,
     .body = BodyRule::IfJson,
     .request = schemas::run_job,
     .response = schemas::run_job_answer,
     .failures = kRunFailures,
     .idempotent = true,
     .finish = &JobsResource::wait_for_run},
};

void JobsResource::mount(RouteTable& table) { table.mount<JobsResource>(*this, kRoutes); }

HttpResponse JobsResource::list(const ApiRequest& request, const Principal&) {
  JobFilter filter{.search = request.query("search")};
  if (const std::string enabled = request.query("enabled"); !enabled.empty())
    filter.enabled = enabled == "true";
  // Without either parameter all of them: that is what clients know.
  if (!request.query("page").empty() || !request.query("pageSize").empty()) {
    const Page page = page_of(request);
    filter.limit = page.size;
    filter.offset = page.offset();
  }
  Json out = Json::array();
  for (const auto& view : services_.jobs.list(filter)) out.push_back(render::job(view));
  return json_answer(200, out);
}

HttpResponse JobsResource::get(const ApiRequest& request, const Principal&) {
  return json_answer(200, render::job(services_.jobs.get(request.param())));
}

HttpResponse JobsResource::create(const ApiRequest& request, const Principal& who) {
  return json_answer(201, render::job(services_.jobs.create(who, request.body)));
}

HttpResponse JobsResource::update(const ApiRequest& request, const Principal& who) {
  return json_answer(200, render::job(services_.jobs.update(who, request.param(), request.body)));
}

HttpResponse JobsResource::remove(const ApiRequest& request, const Principal& who) {
  services_.jobs.remove(who, request.param());
  return json_answer(200, {{"success", true}});
}

HttpResponse JobsResource::clone(const ApiRequest& request, const Principal& who) {
  std::string name;
  if (get_string(request.body, "name")) name = checked_name(request.body);
  return json_answer(201, render::job(services_.jobs.clone(who, request.param(), name)));
}

HttpResponse JobsResource::bulk(const ApiRequest& request, const Principal& who) {
  const BulkCommand command = parse_bulk(request.body);
  const std::string past = command.action + "d";  // deleted, enabled, disabled
  return json_answer(
      200, render::bulk(services_.jobs.bulk(who, command.action, command.entries),
                        {.one = "job", .many = "jobs", .verb = command.action, .past = past}));
}

HttpResponse JobsResource::run(const ApiRequest& request, const Principal& who) {
  RunJob command{.job_id = request.param(), .lock = get_bool(request.body, "lock").value_or(false)};
  if (const auto labels = request.body.find("labels"); labels != request.body.end()) {
    for (const auto& [key, value] : labels->items()) command.labels[key] = value.get<std::string>();
  }
  const std::string id = services_.executions.run(who, command);
  // 200, not 202: published scripts test for it.
  return json_answer(200, {{"success", true}, {"executionId", id}, {"message", "Job queued"}});
}

HttpResponse JobsResource::wait_for_run(const ApiRequest& request, HttpResponse started) {
  const std::chrono::seconds at_most{request.query_integer("wait", 0)};
  const auto* body = std::get_if<std::string>(&started.body);
  if (at_most.count() == 0 || body == nullptr) return started;
  const std::string id = require_string(parse_json(*body, "the answer"), "executionId");
  const auto answer = [this, id, headers = started.headers] {
    HttpResponse out;
    const TimeMs now = services_.control.context().clock.now_ms();
    services_.executions.visit(
        id, /*with_logs=*/false, [&](const Execution& run, const std::string& labels, const auto&) {
          JsonWriter text;
          text.begin_object().key("success").flag(true).key("executionId").text(id);
          text.key("message").text(run.ended_at ? "Job has ended" : "Job has not ended yet");
          text.key("data").raw(render::execution_text(run, labels, nullptr, now)).end_object();
          out = HttpResponse::json(200, text.take());
        });
    for (const auto& [name, value] : headers.fields()) out.headers.set(name, value);
    return out;
  };
  try {
    return services_.executions.has_ended(id) ? answer() : follower_.wait(id, at_most, answer);
  } catch (const Error& error) {
    // It has been started: a refusal would make the client start it once more.
    if (error.reason() != "busy") throw;
    return answer();
  }
}

}  // namespace dbackup::host
