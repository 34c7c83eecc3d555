#include "api/resources/adapters_resource.hpp"

#include "api/bulk_body.hpp"
#include "api/render.hpp"
#include "api/schemas.hpp"
#include "services/services.hpp"

namespace dbackup::host {

namespace {
Json clone_request() {
  using namespace schema;
  return object({optional("name", nullable(text(1, 100))),
                 optional("role", one_of({"DESTINATION", "SOURCE"}))});
}
Json delete_many() { return schemas::bulk_request({"delete"}); }
}  // namespace

const Route<AdaptersResource> AdaptersResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/adapters",
     .access = Access::adapter_read(),
     .handler = &AdaptersResource::list,
     .summary = "Adapters of one type, newest first",
     .section = "Adapters",
     .query = schemas::adapters_query,
     .response = schemas::adapter_list,
     .failures = kBadRequest},
    {.method = Method::Post,
     .path = "/api/adapters",
     .access = Access::adapter_write(),
     .handler = &AdaptersResource::create,
     .summary = "Create a source, destination or channel",
     .section = "Adapters",
     .body = BodyRule::Required,
     .request = schemas::adapter_create,
     .response = schemas::adapter,
     .success = 201,
     .failures = kCreateFailures,
     .idempotent = true},
    {.method = Method::Get,
     .path = "/api/adapters/{id}",
     .access = Access::adapter_read(),
     .handler = &AdaptersResource::get,
     .summary = "One adapter",
     .section = "Adapters",
     .response = schemas::adapter,
     .failures = kMissing,
     .etag = true},
    {.method = Method::Put,
     .path = "/api/adapters/{id}",
     .access = Access::adapter_write(),
     .handler = &AdaptersResource::update,
     .summary = "Change an adapter; secrets that are left out stay",
     .section = "Adapters",
     .body = BodyRule::Required,
     .request = schemas::adapter_update,
     .response = schemas::adapter,
     .failures = kChangeFailures,
     .etag = true},
    {.method = Method::Delete,
     .path = "/api/adapters/{id}",
     .access = Access::adapter_write(),
     .handler = &AdaptersResource::remove,
     .summary = "Delete an adapter that no job uses",
     .section = "Adapters",
     .response = schema::success_answer,
     .failures = kMissingOrBad,
     .etag = true},
    {.method = Method::Post,
     .path = "/api/adapters/{id}/clone",
     .access = Access::adapter_write(),
     .handler = &AdaptersResource::clone,
     .summary = "Copy an adapter; role makes the counterpart of a storage",
     .section = "Adapters",
     .body = BodyRule::Optional,
     .request = clone_request,
     .response = schemas::adapter,
     .success = 201,
     .failures = kCreateFailures,
     .idempotent = true},
    {.method = Method::Post,
     .path = "/api/adapters/bulk",
     .access = Access::adapter_write(),
     .handler = &AdaptersResource::bulk,
     .summary = "Delete up to 200 adapters",
     .section = "Adapters",
     .body = BodyRule::Required,
     .request = delete_many,
     .response = schemas::bulk_answer,
     .failures = kMissingOrBad},
    {.method = Method::Get,
     .path = "/api/adapter-types",
     .access = Access::authenticated(),
     .handler = &AdaptersResource::types,
     .summary = "Kinds of adapters and their options",
     .section = "Adapters",
     .response = schemas::adapter_types},
};

void AdaptersResource::mount(RouteTable& table) { table.mount<AdaptersResource>(*this, kRoutes); }

HttpResponse AdaptersResource::list(const ApiRequest& request, const Principal& who) {
  const std::string type = request.query("type");
  if (type.empty()) throw Error(ErrorCode::InvalidArgument, "\"type\" is required");
  // Letter case does not count, and a value that is no role is ignored.
  const std::string role = request.query("role");
  std::string wanted;
  for (const std::string_view known : {"DESTINATION", "SOURCE"}) {
    if (equal_ignoring_case(role, known)) wanted = known;
  }
  Json out = Json::array();
  for (const auto& view : services_.adapters.list(who, type, wanted))
    out.push_back(render::adapter(view));
  return json_answer(200, out);
}

HttpResponse AdaptersResource::get(const ApiRequest& request, const Principal& who) {
  const AdapterView view = services_.adapters.get(who, request.param());
  HttpResponse response = json_answer(200, render::adapter(view));
  response.lasting = dump_json(render::adapter_without_observations(view));
  return response;
}

HttpResponse AdaptersResource::create(const ApiRequest& request, const Principal& who) {
  return json_answer(201, render::adapter(services_.adapters.create(who, request.body)));
}

HttpResponse AdaptersResource::update(const ApiRequest& request, const Principal& who) {
  return json_answer(
      200, render::adapter(services_.adapters.update(who, request.param(), request.body)));
}

HttpResponse AdaptersResource::remove(const ApiRequest& request, const Principal& who) {
  services_.adapters.remove(who, request.param());
  return json_answer(200, {{"success", true}});
}

HttpResponse AdaptersResource::types(const ApiRequest&, const Principal&) {
  Json out = Json::array();
  for (const auto& adapter : services_.adapters.types())
    out.push_back(render::adapter_type(*adapter));
  return json_answer(200, render::wrapped(std::move(out)));
}

HttpResponse AdaptersResource::clone(const ApiRequest& request, const Principal& who) {
  return json_answer(201, render::adapter(services_.adapters.clone(
                              who, request.param(), get_string(request.body, "name").value_or(""),
                              get_string(request.body, "role").value_or(""))));
}

HttpResponse AdaptersResource::bulk(const ApiRequest& request, const Principal& who) {
  const BulkOutcome outcome = services_.adapters.remove_all(who, parse_bulk(request.body).entries);
  return json_answer(200, render::bulk(outcome, {"adapter", "adapters", "delete", "deleted"}));
}

}  // namespace dbackup::host
