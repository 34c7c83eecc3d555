#include "api/resources/status_resource.hpp"

#include "api/client_gate.hpp"
#include "api/render.hpp"
#include "api/schemas.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {
constexpr int kUnhealthy[] = {503};

Json limits_answer() {
  using namespace schema;
  const Json limit =
      titled("RateLimit", object({required("points", described(integer(), "requests a window")),
                                  required("duration", described(integer(), "seconds"))}));
  return object({required("auth", limit), required("api", limit), required("mutation", limit)});
}

Json limit_json(const RateLimit& limit) {
  return {{"points", limit.points}, {"duration", limit.window_seconds}};
}
}  // namespace

const Route<StatusResource> StatusResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/health",
     .access = Access::anyone(),
     .handler = &StatusResource::health,
     .summary = "Whether the server works",
     .section = "System",
     .run = HttpRun::Inline,
     .response = schemas::health,
     .failures = kUnhealthy},
    {.method = Method::Get,
     .path = "/api/permissions",
     .access = Access::authenticated(),
     .handler = &StatusResource::permissions,
     .summary = "All permissions there are",
     .section = "Account",
     .response = schemas::permissions},
    {.method = Method::Get,
     .path = "/api/internal/rate-limit-config",
     .access = Permission::SettingsRead,
     .handler = &StatusResource::limits,
     .summary = "The rate limits in force",
     .section = "Settings",
     .response = limits_answer},
};

void StatusResource::mount(RouteTable& table) { table.mount<StatusResource>(*this, kRoutes); }

HttpResponse StatusResource::health(const ApiRequest&, const Principal&) {
  const HealthState state = services_.health.state();
  return HttpResponse::json(state.database_connected ? 200 : 503, render::health_text(state));
}

HttpResponse StatusResource::permissions(const ApiRequest&, const Principal&) {
  Json out = Json::array();
  for (const auto& row : kPermissions) {
    out.push_back({{"id", row.name}, {"category", row.category}, {"label", row.label}});
  }
  return json_answer(200, out);
}

HttpResponse StatusResource::limits(const ApiRequest&, const Principal&) {
  const RateLimits limits = rate_limits(*services_.control.context().live.now());
  return json_answer(200, {{"auth", limit_json(limits.auth)},
                           {"api", limit_json(limits.api)},
                           {"mutation", limit_json(limits.mutation)}});
}

}  // namespace dbackup::host
