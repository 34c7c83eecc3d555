#include "api/resources/groups_resource.hpp"

#include "api/bulk_body.hpp"
#include "api/render.hpp"
#include "api/render_accounts.hpp"
#include "api/schemas_accounts.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kSection = "Groups";

HttpResponse one(int status, const UserGroup& group) {
  return json_answer(status, render::wrapped(render::group(group)));
}

}  // namespace

const Route<GroupsResource> GroupsResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/groups",
     .access = Permission::GroupsRead,
     .handler = &GroupsResource::list,
     .summary = "All groups, by name",
     .section = kSection,
     .response = schemas::groups},
    {.method = Method::Post,
     .path = "/api/groups",
     .access = Permission::GroupsWrite,
     .handler = &GroupsResource::create,
     .summary = "Create a group with permissions that you hold",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::group_create,
     .response = schemas::group_answer,
     .success = 201,
     .failures = kCreateFailures,
     .idempotent = true},
    {.method = Method::Get,
     .path = "/api/groups/{id}",
     .access = Permission::GroupsRead,
     .handler = &GroupsResource::get,
     .summary = "One group",
     .section = kSection,
     .response = schemas::group_answer,
     .failures = kMissing,
     .etag = true},
    {.method = Method::Put,
     .path = "/api/groups/{id}",
     .access = Permission::GroupsWrite,
     .handler = &GroupsResource::update,
     .summary = "Change a group; never SuperAdmin or your own",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::group_update,
     .response = schemas::group_answer,
     .failures = kChangeFailures,
     .etag = true},
    {.method = Method::Delete,
     .path = "/api/groups/{id}",
     .access = Permission::GroupsWrite,
     .handler = &GroupsResource::remove,
     .summary = "Delete a group; its users lose their access",
     .section = kSection,
     .response = schema::success_answer,
     .failures = kChangeFailures,
     .etag = true},
    {.method = Method::Post,
     .path = "/api/groups/bulk",
     .access = Permission::GroupsWrite,
     .handler = &GroupsResource::bulk,
     .summary = "Delete several groups",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::bulk_delete,
     .response = schemas::bulk_answer,
     .failures = kBadRequest},
};

void GroupsResource::mount(RouteTable& table) { table.mount<GroupsResource>(*this, kRoutes); }

HttpResponse GroupsResource::list(const ApiRequest&, const Principal&) {
  Json out = Json::array();
  for (const UserGroup& group : services_.groups.list()) out.push_back(render::group(group));
  return json_answer(200, render::wrapped(std::move(out)));
}

HttpResponse GroupsResource::create(const ApiRequest& request, const Principal& who) {
  return one(201,
             services_.groups.create(
                 who, require_string(request.body, "name"),
                 get_strings(request.body, "permissions").value_or(std::vector<std::string>{})));
}

HttpResponse GroupsResource::get(const ApiRequest& request, const Principal&) {
  return one(200, services_.groups.get(request.param()));
}

HttpResponse GroupsResource::update(const ApiRequest& request, const Principal& who) {
  return one(200, services_.groups.update(who, request.param(), get_string(request.body, "name"),
                                          get_strings(request.body, "permissions")));
}

HttpResponse GroupsResource::remove(const ApiRequest& request, const Principal& who) {
  services_.groups.remove(who, request.param());
  return json_answer(200, {{"success", true}});
}

HttpResponse GroupsResource::bulk(const ApiRequest& request, const Principal& who) {
  const BulkOutcome outcome = services_.groups.remove_all(who, parse_bulk(request.body).entries);
  return json_answer(200, render::bulk(outcome, {"group", "groups", "delete", "deleted"}));
}

}  // namespace dbackup::host
