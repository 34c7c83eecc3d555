#include "api/resources/oauth_resource.hpp"

#include "api/schemas_probes.hpp"
#include "model/oauth_kinds.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

/// /api/adapters/<kind>/…: the rows are those of the kinds.
const std::string& kind_of(const ApiRequest& request) { return request.http.segments.at(2); }

}  // namespace

void OAuthResource::mount(RouteTable& table) {
  for (const OAuthKind& kind : kOAuthKinds) {
    const std::string base = "/api/adapters/" + std::string{kind.id};
    const std::string paths[] = {base + "/auth", base + "/callback", base + "/validate-token"};
    const std::string name{kind.name};
    // Kept until the rows have copied them.
    const std::string words[] = {
        "Begin to sign in to " + name + "; 400 while no adapter reaches it",
        "Where " + name + " sends the browser back to; 400 while no adapter reaches it",
        "Whether a sign-in to " + name + " still holds; 400 while no adapter reaches it"};
    const Route<OAuthResource> routes[] = {
        {.method = Method::Post,
         .path = paths[0],
         .access = Permission::CredentialsWrite,
         .handler = &OAuthResource::begin,
         .summary = words[0],
         .section = "Adapters",
         .body = BodyRule::Required,
         .request = schemas::oauth_start,
         .response = schemas::oauth_start_answer,
         .failures = kUnbuilt},
        {.method = Method::Get,
         .path = paths[1],
         .access = Access::session_only(),
         .handler = &OAuthResource::come_back,
         .summary = words[1],
         .section = "Adapters",
         .query = schemas::oauth_return,
         .success = 302,
         .failures = kUnbuilt,
         .produces = ""},
        {.method = Method::Post,
         .path = paths[2],
         .access = Permission::CredentialsRead,
         .handler = &OAuthResource::validate,
         .summary = words[2],
         .section = "Adapters",
         .body = BodyRule::Required,
         .request = schemas::oauth_start,
         .response = schemas::token_validity,
         .failures = kUnbuilt},
    };
    table.mount<OAuthResource>(*this, routes);
  }
}

HttpResponse OAuthResource::begin(const ApiRequest& request, const Principal&) {
  services_.oauth.refuse(kind_of(request));
}

HttpResponse OAuthResource::come_back(const ApiRequest& request, const Principal&) {
  services_.oauth.refuse(kind_of(request));
}

HttpResponse OAuthResource::validate(const ApiRequest& request, const Principal&) {
  // Clients read "valid" and "message", whatever the status.
  const std::string text = services_.oauth.refusal(kind_of(request));
  return json_answer(400,
                     {{"success", false}, {"error", text}, {"valid", false}, {"message", text}});
}

}  // namespace dbackup::host
