#include "api/resources/adapter_history_resource.hpp"

#include "api/render.hpp"
#include "api/schemas_history.hpp"
#include "services/services.hpp"

namespace dbackup::host {

const Route<AdapterHistoryResource> AdapterHistoryResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/adapters/{id}/health-history",
     .access = Access::either(Permission::SourcesView, Permission::DestinationsRead),
     .handler = &AdapterHistoryResource::health,
     .summary = "Health checks of an adapter, newest first",
     .section = "Adapters",
     .query = schemas::health_query,
     .response = schemas::health_history,
     .failures = kMissingOrBad},
    {.method = Method::Get,
     .path = "/api/adapters/{id}/version-history",
     .access = Permission::SourcesView,
     .handler = &AdapterHistoryResource::versions,
     .summary = "Versions in which a source's server was found, newest first",
     .section = "Adapters",
     .query = schemas::versions_query,
     .response = schemas::version_history,
     .failures = kMissingOrBad},
    {.method = Method::Get,
     .path = "/api/storage/{id}/history",
     .access = Permission::StorageRead,
     .handler = &AdapterHistoryResource::storage,
     .summary = "How much lay at a destination over time, oldest first",
     .section = "Storage",
     .query = schemas::storage_history_query,
     .response = schemas::storage_history,
     .failures = kMissingOrBad},
};

void AdapterHistoryResource::mount(RouteTable& table) {
  table.mount<AdapterHistoryResource>(*this, kRoutes);
}

HttpResponse AdapterHistoryResource::health(const ApiRequest& request, const Principal&) {
  const std::string from = request.query("from");
  const HealthHistory found =
      services_.history.health(request.param(), from.empty() ? 0 : parse_iso8601(from, "from"),
                               request.query_integer("limit", 100));
  Json history = Json::array();
  for (const HealthCheck& check : found.checks) {
    history.push_back({{"id", check.id},
                       {"status", check.status},
                       {"latencyMs", check.latency_ms},
                       {"createdAt", format_iso8601(check.created_at)},
                       {"error", render::text_or_null(check.error)}});
  }
  return json_answer(200, {{"history", std::move(history)},
                           {"stats",
                            {{"uptime", found.uptime_percent},
                             {"avgLatency", found.average_latency_ms},
                             {"totalChecks", found.checks.size()}}}});
}

HttpResponse AdapterHistoryResource::versions(const ApiRequest& request, const Principal&) {
  Json history = Json::array();
  for (const VersionChange& change :
       services_.history.versions(request.param(), request.query_integer("limit", 100))) {
    history.push_back({{"id", change.id},
                       {"previousVersion", render::text_or_null(change.previous_version)},
                       {"newVersion", change.new_version},
                       {"edition", render::text_or_null(change.edition)},
                       {"detectedAt", format_iso8601(change.detected_at)}});
  }
  return json_answer(200, {{"success", true}, {"history", std::move(history)}});
}

HttpResponse AdapterHistoryResource::storage(const ApiRequest& request, const Principal&) {
  Json data = Json::array();
  for (const StorageSnapshot& snapshot :
       services_.history.storage(request.param(), request.query_integer("days", 30))) {
    const std::string date = format_iso8601(snapshot.created_at);
    data.push_back({{"date", date},
                    {"size", snapshot.size_bytes},
                    {"count", snapshot.file_count},
                    {"createdAt", date},
                    {"totalSize", snapshot.size_bytes},
                    {"fileCount", snapshot.file_count}});
  }
  return json_answer(200, render::wrapped(std::move(data)));
}

}  // namespace dbackup::host
