#include "api/resources/vault_resource.hpp"

#include "api/bulk_body.hpp"
#include "api/content_disposition.hpp"
#include "api/render.hpp"
#include "api/schemas_vault.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

constexpr Access kRead = Access::either(Permission::VaultRead, Permission::VaultWrite);
constexpr int kRecoverFailures[] = {400, 404, 409, 422, 503, 504};
constexpr std::string_view kSection = "Encryption";

HttpResponse one(int status, const ProfileView& view) {
  return json_answer(status, render::wrapped(render::encryption_profile(view)));
}

SecretString secret_of(const Json& body, const char* name) {
  return SecretString{get_string(body, name).value_or("")};
}

}  // namespace

const Route<VaultResource> VaultResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/encryption-profiles",
     .access = kRead,
     .handler = &VaultResource::list,
     .summary = "All encryption profiles",
     .section = kSection,
     .response = schemas::profiles},
    {.method = Method::Post,
     .path = "/api/encryption-profiles",
     .access = Permission::VaultWrite,
     .handler = &VaultResource::create,
     .summary = "Create an encryption profile",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::profile_create,
     .response = schemas::profile_answer,
     .success = 201,
     .failures = kCreateFailures,
     .idempotent = true},
    {.method = Method::Post,
     .path = "/api/encryption-profiles/import",
     .access = Permission::VaultWrite,
     .handler = &VaultResource::import,
     .summary = "Take in a key: an age identity, or one of another installation for reading",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::profile_import,
     .response = schemas::profile_answer,
     .success = 201,
     .failures = kCreateFailures,
     .idempotent = true},
    {.method = Method::Post,
     .path = "/api/encryption-profiles/recover",
     .access = Permission::VaultWrite,
     .handler = &VaultResource::recover,
     .summary = "Take in a key after it has opened a stored backup",
     .section = kSection,
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::profile_recover,
     .response = schemas::profile_recovered,
     .failures = kRecoverFailures},
    {.method = Method::Post,
     .path = "/api/encryption-profiles/bulk",
     .access = Permission::VaultWrite,
     .handler = &VaultResource::bulk,
     .summary = "Delete or retire several encryption profiles",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::profiles_bulk,
     .response = schemas::bulk_answer,
     .failures = kBadRequest},
    {.method = Method::Get,
     .path = "/api/encryption-profiles/{id}",
     .access = kRead,
     .handler = &VaultResource::get,
     .summary = "One encryption profile",
     .section = kSection,
     .response = schemas::profile_answer,
     .failures = kMissing,
     .etag = true},
    {.method = Method::Put,
     .path = "/api/encryption-profiles/{id}",
     .access = Permission::VaultWrite,
     .handler = &VaultResource::update,
     .summary = "Rename or describe an encryption profile",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::profile_update,
     .response = schemas::profile_answer,
     .failures = kChangeFailures,
     .etag = true},
    {.method = Method::Post,
     .path = "/api/encryption-profiles/{id}/rotate",
     .access = Permission::VaultWrite,
     .handler = &VaultResource::rotate,
     .summary = "A new key for new backups; the old ones stay to read old backups",
     .section = kSection,
     .response = schemas::profile_answer,
     .failures = kChangeFailures,
     .idempotent = true},
    {.method = Method::Get,
     .path = "/api/encryption-profiles/{id}/reveal",
     .access = Permission::VaultWrite,
     .handler = &VaultResource::reveal,
     .summary = "The key of an encryption profile; noted in the audit log",
     .section = kSection,
     .response = schemas::profile_revealed,
     .failures = kChangeFailures},
    {.method = Method::Delete,
     .path = "/api/encryption-profiles/{id}",
     .access = Permission::VaultWrite,
     .handler = &VaultResource::remove,
     .summary = "Delete, retire or erase an encryption profile",
     .section = kSection,
     .query = schemas::profile_removal_query,
     .response = schema::success_answer,
     .failures = kChangeFailures,
     .etag = true},
    {.method = Method::Get,
     .path = "/api/vault/recovery-kit",
     .access = Permission::VaultWrite,
     .handler = &VaultResource::kit_of_several,
     .summary = "Recovery kit of several profiles, a ZIP",
     .section = kSection,
     .query = schemas::kits_query,
     .failures = kChangeFailures,
     .produces = "application/zip"},
    {.method = Method::Get,
     .path = "/api/vault/{id}/recovery-kit",
     .access = Permission::VaultWrite,
     .handler = &VaultResource::kit_of_one,
     .summary = "Recovery kit of one profile, a ZIP",
     .section = kSection,
     .failures = kChangeFailures,
     .produces = "application/zip"},
};

void VaultResource::mount(RouteTable& table) { table.mount<VaultResource>(*this, kRoutes); }

HttpResponse VaultResource::list(const ApiRequest&, const Principal&) {
  Json out = Json::array();
  for (const auto& view : services_.profiles.list())
    out.push_back(render::encryption_profile(view));
  return json_answer(200, render::wrapped(std::move(out)));
}

HttpResponse VaultResource::get(const ApiRequest& request, const Principal&) {
  return one(200, services_.profiles.get(request.param()));
}

HttpResponse VaultResource::create(const ApiRequest& request, const Principal& who) {
  NewProfileFields fields{.name = require_string(request.body, "name")};
  fields.description = get_string(request.body, "description").value_or("");
  fields.recipients = get_strings(request.body, "recipients").value_or(std::vector<std::string>{});
  fields.write_only = get_bool(request.body, "writeOnly").value_or(false);
  return one(201, services_.profiles.create(who, fields));
}

HttpResponse VaultResource::import(const ApiRequest& request, const Principal& who) {
  const Json& body = request.body;
  return one(201, services_.profiles.import(
                      who, {.name = require_string(body, "name"),
                            .description = get_string(body, "description").value_or(""),
                            .key_hex = secret_of(body, "keyHex"),
                            .identity = secret_of(body, "identity")}));
}

HttpResponse VaultResource::recover(const ApiRequest& request, const Principal& who) {
  const Json& body = request.body;
  const RecoveredProfile result =
      services_.profile_recovery.recover(who, {.storage_id = require_string(body, "storageId"),
                                               .file = require_string(body, "file"),
                                               .key_hex = secret_of(body, "keyHex"),
                                               .identity = secret_of(body, "identity"),
                                               .name = get_string(body, "name").value_or("")});
  return json_answer(200, render::wrapped({{"status", result.is_new ? "imported" : "existing"},
                                           {"profileId", result.id},
                                           {"profileName", result.name}}));
}

HttpResponse VaultResource::bulk(const ApiRequest& request, const Principal& who) {
  const BulkOutcome outcome = services_.profiles.remove_all(who, parse_bulk(request.body).entries);
  return json_answer(200, render::bulk(outcome, {"encryption profile", "encryption profiles",
                                                 "delete", "deleted"}));
}

HttpResponse VaultResource::update(const ApiRequest& request, const Principal& who) {
  std::optional<std::string> description;
  if (request.body.contains("description"))
    description = get_string(request.body, "description").value_or("");
  return one(200, services_.profiles.update(who, request.param(), get_string(request.body, "name"),
                                            description));
}

HttpResponse VaultResource::rotate(const ApiRequest& request, const Principal& who) {
  return one(200, services_.profiles.rotate(who, request.param()));
}

HttpResponse VaultResource::reveal(const ApiRequest& request, const Principal& who) {
  const RevealedKey key = services_.profiles.reveal(who, request.param());
  Json data{{"keyHex", std::string{key.key_hex.reveal()}}};
  if (!key.identity.empty()) data["identity"] = std::string{key.identity.reveal()};
  return secret_answer(200, render::wrapped(std::move(data)));
}

HttpResponse VaultResource::remove(const ApiRequest& request, const Principal& who) {
  services_.profiles.remove(who, request.param(),
                            {.force = request.flag("force"),
                             .purge = request.flag("purge"),
                             .confirmed_name = request.query("name")});
  return json_answer(200, {{"success", true}});
}

HttpResponse VaultResource::kit(const Principal& who, const std::vector<std::string>& ids) {
  RecoveryKit made = services_.recovery_kits.make(who, ids);
  HttpResponse response = HttpResponse::text(200, std::move(made.zip), "application/zip");
  response.headers.set("Content-Disposition", attachment_of(made.file_name));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

HttpResponse VaultResource::kit_of_several(const ApiRequest& request, const Principal& who) {
  std::vector<std::string> ids;
  const std::string list = request.query("ids");
  for (size_t at = 0; at < list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    if (comma > at) ids.push_back(list.substr(at, comma - at));
    at = comma + 1;
  }
  return kit(who, ids);
}

HttpResponse VaultResource::kit_of_one(const ApiRequest& request, const Principal& who) {
  return kit(who, {request.param()});
}

}  // namespace dbackup::host
