#include "api/resources/server_files_resource.hpp"

#include "api/schemas_probes.hpp"
#include "model/oauth_kinds.hpp"
#include "services/adapter_fields.hpp"
#include "services/oauth.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

constexpr int kFolderFailures[] = {400, 404};

std::string path_or_root(const std::string& path) { return path.empty() ? "/" : path; }

HttpResponse folder_answer(const ServerFolder& folder) {
  Json entries = Json::array();
  for (const ServerFile& file : folder.entries) {
    entries.push_back({{"name", file.name},
                       {"type", file.is_folder ? "directory" : "file"},
                       {"path", file.path}});
  }
  Json data{{"currentPath", folder.path},
            {"parentPath", folder.parent ? Json(*folder.parent) : Json{}},
            {"entries", std::move(entries)}};
  if (folder.is_cut) data["truncated"] = true;
  return json_answer(200, {{"success", true}, {"data", std::move(data)}});
}

}  // namespace

void ServerFilesResource::mount(RouteTable& table) {
  const Route<ServerFilesResource> servers[] = {
      {.method = Method::Get,
       .path = "/api/system/filesystem",
       .access = Access::session_and(Permission::SettingsRead),
       .handler = &ServerFilesResource::here,
       .summary = "One folder of the server's own disk",
       .section = "System",
       .run = HttpRun::Slow,
       .query = schemas::server_folder_query,
       .response = schemas::server_folder,
       .failures = kFolderFailures},
      {.method = Method::Post,
       .path = "/api/system/filesystem/remote",
       .access = Access::session_and(Permission::SettingsRead),
       .handler = &ServerFilesResource::remote,
       .summary = "One folder of a machine behind SSH",
       .section = "System",
       .run = HttpRun::Slow,
       .body = BodyRule::Required,
       .request = schemas::remote_folder,
       .response = schemas::server_folder,
       .failures = kWorkerFailures},
  };
  table.mount<ServerFilesResource>(*this, servers);
  for (const OAuthKind& kind : kOAuthKinds) {
    const std::string path = "/api/system/filesystem/" + std::string{kind.id};
    const std::string summary =
        "Folders of " + std::string{kind.name} + "; 400 while no adapter reaches it";
    const Route<ServerFilesResource> routes[] = {
        {.method = Method::Post,
         .path = path,
         .access = Access::session_and(Permission::DestinationsRead),
         .handler = &ServerFilesResource::cloud,
         .summary = summary,
         .section = "System",
         .body = BodyRule::Required,
         .request = schemas::cloud_folder,
         .response = schemas::server_folder,
         .failures = kUnbuilt},
    };
    table.mount<ServerFilesResource>(*this, routes);
  }
}

HttpResponse ServerFilesResource::here(const ApiRequest& request, const Principal&) {
  return folder_answer(services_.server_files.list(path_or_root(request.query("path"))));
}

HttpResponse ServerFilesResource::remote(const ApiRequest& request, const Principal& who) {
  return folder_answer(services_.probes.browse_ssh(
      who, config_field(request.body), get_string(request.body, "sshCredentialId").value_or(""),
      path_or_root(get_string(request.body, "path").value_or(""))));
}

HttpResponse ServerFilesResource::cloud(const ApiRequest& request, const Principal&) {
  services_.oauth.refuse(request.http.segments.at(3));
}

}  // namespace dbackup::host
