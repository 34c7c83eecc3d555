#include "api/resources/adapter_probes_resource.hpp"

#include "api/schemas_probes.hpp"
#include "services/adapter_fields.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

ConnectionTest parse_test(const Json& body) {
  return {.adapter_id = require_string(body, "adapterId"),
          .config = config_field(body),
          .config_id = get_string(body, "configId").value_or(""),
          .primary_credential_id = get_string(body, "primaryCredentialId").value_or(""),
          .ssh_credential_id = get_string(body, "sshCredentialId").value_or("")};
}

}  // namespace

const Route<AdapterProbesResource> AdapterProbesResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/adapters/{id}/databases",
     .access = Permission::SourcesView,
     .handler = &AdapterProbesResource::databases,
     .summary = "Names of the databases of a source",
     .section = "Adapters",
     .run = HttpRun::Slow,
     .response = schemas::databases,
     .failures = kWorkerFailures},
    {.method = Method::Get,
     .path = "/api/adapters/{id}/browse",
     .access = Permission::DestinationsRead,
     .handler = &AdapterProbesResource::browse,
     .summary = "Folders of a storage, one level",
     .section = "Adapters",
     .run = HttpRun::Slow,
     .query = schemas::browse_query,
     .response = schemas::browse_answer,
     .failures = kWorkerFailures},
    {.method = Method::Post,
     .path = "/api/adapters/test-connection",
     .access = Access::adapter_read(),
     .handler = &AdapterProbesResource::test,
     .summary = "Try a configuration; a failed test is 200 with success false",
     .section = "Adapters",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::test_connection,
     .response = schemas::test_result,
     .failures = kWorkerFailures,
     .connection_test = true},
    {.method = Method::Post,
     .path = "/api/adapters/access-check",
     .access = Access::adapter_read(),
     .handler = &AdapterProbesResource::access_check,
     .summary = "The databases that a configuration gives access to",
     .section = "Adapters",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::test_connection,
     .response = schemas::access_check_result,
     .failures = kWorkerFailures,
     .connection_test = true},
    {.method = Method::Post,
     .path = "/api/adapters/check-snapshot",
     .access = Access::adapter_read(),
     .handler = &AdapterProbesResource::check_snapshot,
     .summary = "Whether snapshots can be taken with a configuration",
     .section = "Adapters",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::test_connection,
     .response = schemas::snapshot_result,
     .failures = kMissingOrBad,
     .connection_test = true},
    {.method = Method::Post,
     .path = "/api/adapters/test-ssh",
     .access = Permission::SourcesView,
     .handler = &AdapterProbesResource::test_ssh,
     .summary = "Connect by SSH and run a program; a failed test is 200 with success false",
     .section = "Adapters",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::test_ssh,
     .response = schemas::test_result,
     .failures = kWorkerFailures,
     .connection_test = true},
};

void AdapterProbesResource::mount(RouteTable& table) {
  table.mount<AdapterProbesResource>(*this, kRoutes);
}

HttpResponse AdapterProbesResource::databases(const ApiRequest& request, const Principal&) {
  return json_answer(
      200, {{"success", true}, {"databases", services_.probes.databases(request.param())}});
}

HttpResponse AdapterProbesResource::browse(const ApiRequest& request, const Principal&) {
  const FolderListing found = services_.probes.browse(request.param(), request.query("path"));
  Json entries = Json::array();
  for (const auto& folder : found.folders) {
    entries.push_back({{"name", folder.name}, {"path", folder.path}});
  }
  return json_answer(200, {{"success", true},
                           {"supported", found.supported},
                           {"data", {{"path", found.path}, {"entries", std::move(entries)}}}});
}

HttpResponse AdapterProbesResource::test_ssh(const ApiRequest& request, const Principal& who) {
  const ConnectionTestResult result = services_.probes.test_ssh(
      who, get_string(request.body, "adapterId").value_or(""), config_field(request.body),
      get_string(request.body, "sshCredentialId").value_or(""));
  return json_answer(200, {{"success", result.success}, {"message", result.message}});
}

HttpResponse AdapterProbesResource::test(const ApiRequest& request, const Principal& who) {
  const ConnectionTestResult result = services_.probes.test(who, parse_test(request.body));
  Json out{{"success", result.success}, {"message", result.message}};
  if (!result.version.empty()) out["version"] = result.version;
  if (!result.edition.empty()) out["edition"] = result.edition;
  return json_answer(200, out);
}

HttpResponse AdapterProbesResource::access_check(const ApiRequest& request, const Principal& who) {
  const AccessCheck result = services_.probes.access_check(who, parse_test(request.body));
  if (!result.success) {
    return json_answer(200, {{"success", false}, {"message", result.message}});
  }
  return json_answer(200, {{"success", true}, {"databases", result.databases}});
}

HttpResponse AdapterProbesResource::check_snapshot(const ApiRequest& request,
                                                   const Principal& who) {
  const SnapshotCheck result = services_.probes.check_snapshot(who, parse_test(request.body));
  return json_answer(200, {{"supported", result.supported}, {"message", result.message}});
}

}  // namespace dbackup::host
