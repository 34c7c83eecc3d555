#include "api/resources/keys_resource.hpp"

#include "api/bulk_body.hpp"
#include "api/render.hpp"
#include "api/render_accounts.hpp"
#include "api/schemas_accounts.hpp"
#include "services/services.hpp"

namespace dbackup::host {

const Route<KeysResource> KeysResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/api-keys",
     .access = Permission::ApiKeysRead,
     .handler = &KeysResource::list_keys,
     .summary = "All API keys",
     .section = "API keys",
     .response = schemas::api_keys},
    {.method = Method::Post,
     .path = "/api/api-keys",
     .access = Permission::ApiKeysWrite,
     .handler = &KeysResource::create_key,
     .summary = "Create an API key with permissions that you hold",
     .section = "API keys",
     .body = BodyRule::Required,
     .request = schemas::api_key_create,
     .response = schemas::api_key_created,
     .success = 201,
     .failures = kCreateFailures,
     .idempotent = true,
     .secret_owner = "/data/apiKey/id"},
    {.method = Method::Get,
     .path = "/api/api-keys/{id}",
     .access = Permission::ApiKeysRead,
     .handler = &KeysResource::get_key,
     .summary = "One API key",
     .section = "API keys",
     .response = schemas::api_key_answer,
     .failures = kMissing,
     .etag = true},
    {.method = Method::Put,
     .path = "/api/api-keys/{id}",
     .access = Permission::ApiKeysWrite,
     .handler = &KeysResource::update_key,
     .summary = "Change an API key; what is left out stays",
     .section = "API keys",
     .body = BodyRule::Required,
     .request = schemas::api_key_update,
     .response = schemas::api_key_answer,
     .failures = kMissingOrBad,
     .etag = true},
    {.method = Method::Post,
     .path = "/api/api-keys/{id}/rotate",
     .access = Permission::ApiKeysWrite,
     .handler = &KeysResource::rotate_key,
     .summary = "A new key in place of the old one, which ends at once",
     .section = "API keys",
     .response = schemas::api_key_created,
     .failures = kMissing,
     .idempotent = true,
     .secret_owner = "/data/apiKey/id"},
    {.method = Method::Post,
     .path = "/api/api-keys/bulk",
     .access = Permission::ApiKeysWrite,
     .handler = &KeysResource::bulk_keys,
     .summary = "Delete, enable or disable several API keys",
     .section = "API keys",
     .body = BodyRule::Required,
     .request = schemas::api_keys_bulk,
     .response = schemas::bulk_answer,
     .failures = kBadRequest},
    {.method = Method::Delete,
     .path = "/api/api-keys/{id}",
     .access = Permission::ApiKeysWrite,
     .handler = &KeysResource::delete_key,
     .summary = "Delete an API key",
     .section = "API keys",
     .response = schema::success_answer,
     .failures = kMissing,
     .etag = true},
};

namespace {
HttpResponse created_key(int status, const CreatedApiKey& created) {
  return secret_answer(status, render::wrapped({{"apiKey", render::api_key(created.key)},
                                                {"rawKey", std::string{created.raw.reveal()}}}));
}
}  // namespace

void KeysResource::mount(RouteTable& table) { table.mount<KeysResource>(*this, kRoutes); }

HttpResponse KeysResource::list_keys(const ApiRequest&, const Principal&) {
  Json out = Json::array();
  for (const auto& key : services_.api_keys.list()) out.push_back(render::api_key(key));
  return json_answer(200, render::wrapped(std::move(out)));
}

HttpResponse KeysResource::get_key(const ApiRequest& request, const Principal&) {
  return json_answer(200,
                     render::wrapped(render::api_key(services_.api_keys.get(request.param()))));
}

HttpResponse KeysResource::create_key(const ApiRequest& request, const Principal& who) {
  NewKeyFields fields{.name = require_string(request.body, "name")};
  fields.permissions =
      get_strings(request.body, "permissions").value_or(std::vector<std::string>{});
  if (const auto expires = get_string(request.body, "expiresAt")) {
    fields.expires_at = parse_iso8601(*expires, "expiresAt");
  }
  return created_key(201, services_.api_keys.create(who, fields));
}

HttpResponse KeysResource::update_key(const ApiRequest& request, const Principal& who) {
  const Json& body = request.body;
  KeyChanges changes{.name = get_string(body, "name"),
                     .permissions = get_strings(body, "permissions"),
                     .enabled = get_bool(body, "enabled")};
  if (body.contains("expiresAt")) {
    changes.expires_at.emplace();
    if (const auto expires = get_string(body, "expiresAt"))
      changes.expires_at->emplace(parse_iso8601(*expires, "expiresAt"));
  }
  return json_answer(
      200,
      render::wrapped(render::api_key(services_.api_keys.update(who, request.param(), changes))));
}

HttpResponse KeysResource::rotate_key(const ApiRequest& request, const Principal& who) {
  return created_key(200, services_.api_keys.rotate(who, request.param()));
}

HttpResponse KeysResource::bulk_keys(const ApiRequest& request, const Principal& who) {
  const BulkCommand command = parse_bulk(request.body);
  const bool deletes = command.action == "delete";
  const bool enables = command.action == "enable";
  const BulkOutcome outcome = services_.api_keys.apply_to_all(who, command.action, command.entries);
  return json_answer(200, render::bulk(outcome, {"API key", "API keys",
                                                 deletes   ? "delete"
                                                 : enables ? "enable"
                                                           : "disable",
                                                 deletes   ? "deleted"
                                                 : enables ? "enabled"
                                                           : "disabled"}));
}

HttpResponse KeysResource::delete_key(const ApiRequest& request, const Principal& who) {
  services_.api_keys.remove(who, request.param());
  return json_answer(200, {{"success", true}});
}

}  // namespace dbackup::host
