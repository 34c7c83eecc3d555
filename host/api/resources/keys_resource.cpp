#include "api/resources/keys_resource.hpp"

#include "api/content_disposition.hpp"
#include "api/render.hpp"
#include "api/schemas.hpp"
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
    {.method = Method::Delete,
     .path = "/api/api-keys/{id}",
     .access = Permission::ApiKeysWrite,
     .handler = &KeysResource::delete_key,
     .summary = "Delete an API key",
     .section = "API keys",
     .response = schema::success_answer,
     .failures = kMissing,
     .etag = true},
    {.method = Method::Get,
     .path = "/api/encryption-profiles",
     .access = Access::either(Permission::VaultRead, Permission::VaultWrite),
     .handler = &KeysResource::list_profiles,
     .summary = "All encryption profiles",
     .section = "Encryption",
     .response = schemas::profiles},
    {.method = Method::Post,
     .path = "/api/encryption-profiles",
     .access = Permission::VaultWrite,
     .handler = &KeysResource::create_profile,
     .summary = "Create an encryption profile",
     .section = "Encryption",
     .body = BodyRule::Required,
     .request = schemas::profile_create,
     .response = schemas::profile_answer,
     .success = 201,
     .failures = kCreateFailures,
     .idempotent = true},
    {.method = Method::Get,
     .path = "/api/encryption-profiles/{id}",
     .access = Access::either(Permission::VaultRead, Permission::VaultWrite),
     .handler = &KeysResource::get_profile,
     .summary = "One encryption profile",
     .section = "Encryption",
     .response = schemas::profile_answer,
     .failures = kMissing,
     .etag = true},
    {.method = Method::Delete,
     .path = "/api/encryption-profiles/{id}",
     .access = Permission::VaultWrite,
     .handler = &KeysResource::delete_profile,
     .summary = "Delete, retire or erase an encryption profile",
     .section = "Encryption",
     .query = schemas::profile_removal_query,
     .response = schema::success_answer,
     .failures = kChangeFailures,
     .etag = true},
    {.method = Method::Get,
     .path = "/api/vault/recovery-kit",
     .access = Permission::VaultWrite,
     .handler = &KeysResource::kit_of_several,
     .summary = "Recovery kit of several profiles, a ZIP",
     .section = "Encryption",
     .query = schemas::kits_query,
     .failures = kChangeFailures,
     .produces = "application/zip"},
    {.method = Method::Get,
     .path = "/api/vault/{id}/recovery-kit",
     .access = Permission::VaultWrite,
     .handler = &KeysResource::kit_of_one,
     .summary = "Recovery kit of one profile, a ZIP",
     .section = "Encryption",
     .failures = kChangeFailures,
     .produces = "application/zip"},
};

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
  const CreatedApiKey created = services_.api_keys.create(who, fields);
  return secret_answer(201, render::wrapped({{"apiKey", render::api_key(created.key)},
                                             {"rawKey", std::string{created.raw.reveal()}}}));
}

HttpResponse KeysResource::delete_key(const ApiRequest& request, const Principal&) {
  services_.api_keys.remove(request.param());
  return json_answer(200, {{"success", true}});
}

HttpResponse KeysResource::list_profiles(const ApiRequest&, const Principal&) {
  Json out = Json::array();
  for (const auto& view : services_.profiles.list())
    out.push_back(render::encryption_profile(view));
  return json_answer(200, render::wrapped(std::move(out)));
}

HttpResponse KeysResource::get_profile(const ApiRequest& request, const Principal&) {
  return json_answer(
      200, render::wrapped(render::encryption_profile(services_.profiles.get(request.param()))));
}

HttpResponse KeysResource::create_profile(const ApiRequest& request, const Principal&) {
  NewProfileFields fields{.name = require_string(request.body, "name")};
  fields.description = get_string(request.body, "description").value_or("");
  fields.recipients = get_strings(request.body, "recipients").value_or(std::vector<std::string>{});
  fields.write_only = get_bool(request.body, "writeOnly").value_or(false);
  return json_answer(
      201, render::wrapped(render::encryption_profile(services_.profiles.create(fields))));
}

HttpResponse KeysResource::delete_profile(const ApiRequest& request, const Principal&) {
  services_.profiles.remove(request.param(), {.force = request.flag("force"),
                                              .purge = request.flag("purge"),
                                              .confirmed_name = request.query("name")});
  return json_answer(200, {{"success", true}});
}

HttpResponse KeysResource::kit(const Principal& who, const std::vector<std::string>& ids) {
  RecoveryKit made = services_.recovery_kits.make(who, ids);
  HttpResponse response = HttpResponse::text(200, std::move(made.zip), "application/zip");
  response.headers.set("Content-Disposition", attachment_of(made.file_name));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

HttpResponse KeysResource::kit_of_several(const ApiRequest& request, const Principal& who) {
  std::vector<std::string> ids;
  const std::string list = request.query("ids");
  for (size_t at = 0; at < list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    if (comma > at) ids.push_back(list.substr(at, comma - at));
    at = comma + 1;
  }
  return kit(who, ids);
}

HttpResponse KeysResource::kit_of_one(const ApiRequest& request, const Principal& who) {
  return kit(who, {request.param()});
}

}  // namespace dbackup::host
