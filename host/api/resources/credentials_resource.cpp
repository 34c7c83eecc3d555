#include "api/resources/credentials_resource.hpp"

#include "api/bulk_body.hpp"
#include "api/render.hpp"
#include "api/schemas_vault.hpp"
#include "services/credential_references.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kSection = "Credentials";

Json rendered(const CredentialView& view, bool with_count) {
  const Credential& row = view.row;
  Json out{{"id", row.id},
           {"name", row.name},
           {"type", row.type},
           {"description", render::text_or_null(row.description)},
           {"createdAt", format_iso8601(row.created_at)},
           {"updatedAt", format_iso8601(row.updated_at)},
           {"secretStatus", view.secret_status}};
  if (!row.public_key.empty()) {
    out["publicKey"] = row.public_key;
    out["fingerprint"] = row.fingerprint;
  }
  if (with_count) out["usageCount"] = view.usage_count;
  return out;
}

HttpResponse one(int status, const CredentialView& view) {
  return json_answer(status, render::wrapped(rendered(view, /*with_count=*/false)));
}

}  // namespace

const Route<CredentialsResource> CredentialsResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/credentials",
     .access = Permission::CredentialsRead,
     .handler = &CredentialsResource::list,
     .summary = "All credentials without their secrets, newest first",
     .section = kSection,
     .query = schemas::credentials_query,
     .response = schemas::credential_list},
    {.method = Method::Post,
     .path = "/api/credentials",
     .access = Permission::CredentialsWrite,
     .handler = &CredentialsResource::create,
     .summary = "Create a credential, or let an SSH key be made",
     .section = kSection,
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::credential_create,
     .response = schemas::credential_answer,
     .success = 201,
     .failures = kCreateFailures,
     .idempotent = true},
    {.method = Method::Get,
     .path = "/api/credentials/{id}",
     .access = Permission::CredentialsRead,
     .handler = &CredentialsResource::get,
     .summary = "One credential without its secrets",
     .section = kSection,
     .response = schemas::credential_answer,
     .failures = kMissing,
     .etag = true},
    {.method = Method::Put,
     .path = "/api/credentials/{id}",
     .access = Permission::CredentialsWrite,
     .handler = &CredentialsResource::update,
     .summary = "Change a credential; \"data\" replaces the whole payload",
     .section = kSection,
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::credential_update,
     .response = schemas::credential_answer,
     .failures = kChangeFailures,
     .etag = true},
    {.method = Method::Delete,
     .path = "/api/credentials/{id}",
     .access = Permission::CredentialsDelete,
     .handler = &CredentialsResource::remove,
     .summary = "Delete a credential that no adapter uses",
     .section = kSection,
     .response = schema::success_answer,
     .failures = kChangeFailures,
     .etag = true},
    {.method = Method::Get,
     .path = "/api/credentials/{id}/usage",
     .access = Permission::CredentialsRead,
     .handler = &CredentialsResource::usage,
     .summary = "The adapters that use a credential",
     .section = kSection,
     .response = schemas::credential_usage,
     .failures = kMissing},
    {.method = Method::Get,
     .path = "/api/credentials/{id}/reveal",
     .access = Permission::CredentialsReveal,
     .handler = &CredentialsResource::reveal,
     .summary = "The secrets of a credential; noted in the audit log",
     .section = kSection,
     .response = schemas::credential_revealed,
     .failures = kMissing},
    {.method = Method::Post,
     .path = "/api/credentials/bulk",
     .access = Permission::CredentialsDelete,
     .handler = &CredentialsResource::bulk,
     .summary = "Delete several credentials",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::credentials_bulk,
     .response = schemas::bulk_answer,
     .failures = kBadRequest},
};

void CredentialsResource::mount(RouteTable& table) {
  table.mount<CredentialsResource>(*this, kRoutes);
}

HttpResponse CredentialsResource::list(const ApiRequest& request, const Principal&) {
  Json out = Json::array();
  for (const auto& view : services_.credentials.list(request.query("type")))
    out.push_back(rendered(view, request.flag("includeCounts")));
  return json_answer(200, render::wrapped(std::move(out)));
}

HttpResponse CredentialsResource::create(const ApiRequest& request, const Principal& who) {
  return one(201, services_.credentials.create(who, request.body));
}

HttpResponse CredentialsResource::get(const ApiRequest& request, const Principal&) {
  return one(200, services_.credentials.get(request.param()));
}

HttpResponse CredentialsResource::update(const ApiRequest& request, const Principal& who) {
  return one(200, services_.credentials.update(who, request.param(), request.body));
}

HttpResponse CredentialsResource::remove(const ApiRequest& request, const Principal& who) {
  services_.credentials.remove(who, request.param());
  return json_answer(200, {{"success", true}});
}

HttpResponse CredentialsResource::bulk(const ApiRequest& request, const Principal& who) {
  const BulkOutcome outcome =
      services_.credentials.remove_all(who, parse_bulk(request.body).entries);
  return json_answer(200, render::bulk(outcome, {"credential profile", "credential profiles",
                                                 "delete", "deleted"}));
}

HttpResponse CredentialsResource::usage(const ApiRequest& request, const Principal&) {
  Json references = credential_references(services_.credentials.usage(request.param()));
  const size_t count = references.size();
  return json_answer(200,
                     render::wrapped({{"count", count}, {"references", std::move(references)}}));
}

HttpResponse CredentialsResource::reveal(const ApiRequest& request, const Principal& who) {
  Credential row;
  const Json payload = services_.credentials.reveal(who, request.param(), row);
  return secret_answer(
      200, render::wrapped(
               {{"id", row.id}, {"name", row.name}, {"type", row.type}, {"payload", payload}}));
}

}  // namespace dbackup::host
