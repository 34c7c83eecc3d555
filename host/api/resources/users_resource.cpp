#include "api/resources/users_resource.hpp"

#include "api/bulk_body.hpp"
#include "api/render.hpp"
#include "api/render_accounts.hpp"
#include "api/schemas_accounts.hpp"
#include "services/rights.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

constexpr int kUserFailures[] = {400, 404, 409, 422};
constexpr int kPasskeyFailures[] = {400, 404, 501};
constexpr std::string_view kSection = "Users";

HttpResponse one(int status, const User& user) {
  return json_answer(status, render::wrapped(render::user(user)));
}

}  // namespace

const Route<UsersResource> UsersResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/users",
     .access = Permission::UsersRead,
     .handler = &UsersResource::list,
     .summary = "All users, by name",
     .section = kSection,
     .response = schemas::users},
    {.method = Method::Post,
     .path = "/api/users",
     .access = Permission::UsersWrite,
     .handler = &UsersResource::create,
     .summary = "Create a user",
     .section = kSection,
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::user_create,
     .response = schemas::user_answer,
     .success = 201,
     .failures = kUserFailures,
     .idempotent = true},
    {.method = Method::Get,
     .path = "/api/users/{id}",
     .access = Access::authenticated(),
     .handler = &UsersResource::get,
     .summary = "One user: yourself, or anybody with users:read",
     .section = kSection,
     .response = schemas::user_answer,
     .failures = kMissing,
     .etag = true},
    {.method = Method::Put,
     .path = "/api/users/{id}",
     .access = Access::authenticated(),
     .handler = &UsersResource::update,
     .summary = "Change a user: yourself with profile:*, anybody with users:write",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::user_update,
     .response = schemas::user_answer,
     .failures = kUserFailures,
     .etag = true},
    {.method = Method::Delete,
     .path = "/api/users/{id}",
     .access = Permission::UsersWrite,
     .handler = &UsersResource::remove,
     .summary = "Delete a user with their sessions and API keys",
     .section = kSection,
     .response = schema::success_answer,
     .failures = kChangeFailures,
     .etag = true},
    {.method = Method::Post,
     .path = "/api/users/bulk",
     .access = Permission::UsersWrite,
     .handler = &UsersResource::bulk,
     .summary = "Delete several users",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::bulk_delete,
     .response = schemas::bulk_answer,
     .failures = kBadRequest},
    {.method = Method::Put,
     .path = "/api/users/{id}/group",
     .access = Permission::UsersWrite,
     .handler = &UsersResource::set_group,
     .summary = "Put a user into a group, or into none",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::user_group_body,
     .response = schemas::user_answer,
     .failures = kChangeFailures},
    {.method = Method::Post,
     .path = "/api/users/{id}/reset-2fa",
     .access = Permission::UsersWrite,
     .handler = &UsersResource::reset_two_factor,
     .summary = "Switch a user's second factor off",
     .section = kSection,
     .response = schemas::user_answer,
     .failures = kMissing},
    {.method = Method::Put,
     .path = "/api/users/{id}/passkey-2fa",
     .access = Access::authenticated(),
     .handler = &UsersResource::set_passkey_two_factor,
     .summary =
         "Passkey as second factor: can be switched off; switching on is not built, answers 501",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::enabled_body,
     .response = schemas::user_answer,
     .failures = kPasskeyFailures},
};

void UsersResource::mount(RouteTable& table) { table.mount<UsersResource>(*this, kRoutes); }

HttpResponse UsersResource::list(const ApiRequest&, const Principal&) {
  Json out = Json::array();
  for (const User& user : services_.users.list()) out.push_back(render::user(user));
  return json_answer(200, render::wrapped(std::move(out)));
}

HttpResponse UsersResource::create(const ApiRequest& request, const Principal& who) {
  const Json& body = request.body;
  return one(
      201, services_.users.create(who, {.name = require_string(body, "name"),
                                        .email = require_string(body, "email"),
                                        .password = SecretString{require_string(body, "password")},
                                        .group_id = get_string(body, "groupId").value_or(""),
                                        .profile = body}));
}

HttpResponse UsersResource::get(const ApiRequest& request, const Principal& who) {
  if (who.kind != PrincipalKind::Session || who.user_id != request.param())
    require(who, Permission::UsersRead);
  return one(200, services_.users.get(request.param()));
}

HttpResponse UsersResource::update(const ApiRequest& request, const Principal& who) {
  return one(200, services_.users.update(who, request.param(), request.body));
}

HttpResponse UsersResource::remove(const ApiRequest& request, const Principal& who) {
  services_.users.remove(who, request.param());
  return json_answer(200, {{"success", true}});
}

HttpResponse UsersResource::bulk(const ApiRequest& request, const Principal& who) {
  const BulkOutcome outcome = services_.users.remove_all(who, parse_bulk(request.body).entries);
  return json_answer(200, render::bulk(outcome, {"user", "users", "delete", "deleted"}));
}

HttpResponse UsersResource::set_group(const ApiRequest& request, const Principal& who) {
  return one(200, services_.users.set_group(who, request.param(),
                                            get_string(request.body, "groupId").value_or("")));
}

HttpResponse UsersResource::reset_two_factor(const ApiRequest& request, const Principal& who) {
  return one(200, services_.users.reset_two_factor(who, request.param()));
}

HttpResponse UsersResource::set_passkey_two_factor(const ApiRequest& request,
                                                   const Principal& who) {
  return one(200, services_.users.set_passkey_two_factor(
                      who, request.param(), get_bool(request.body, "enabled").value_or(false)));
}

}  // namespace dbackup::host
