#include "api/resources/status_resource.hpp"

#include "api/render.hpp"
#include "api/schemas.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {
constexpr int kUnhealthy[] = {503};
}

const Route<StatusResource> StatusResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/health",
     .access = Access::anyone(),
     .handler = &StatusResource::health,
     .summary = "Whether the server works",
     .run = HttpRun::Inline,
     .response = schemas::health,
     .failures = kUnhealthy},
    {.method = Method::Get,
     .path = "/api/permissions",
     .access = Access::authenticated(),
     .handler = &StatusResource::permissions,
     .summary = "All permissions there are",
     .response = schemas::permissions},
    {.method = Method::Get,
     .path = "/api/user/me",
     .access = Access::authenticated(),
     .handler = &StatusResource::me,
     .summary = "Who you are and what you may do",
     .response = schemas::caller},
};

void StatusResource::mount(RouteTable& table) { table.mount<StatusResource>(*this, kRoutes); }

HttpResponse StatusResource::health(const ApiRequest&, const Principal&) {
  const HealthState state = services_.health.state();
  return json_answer(state.database_connected ? 200 : 503, render::health(state));
}

HttpResponse StatusResource::permissions(const ApiRequest&, const Principal&) {
  Json out = Json::array();
  for (const auto& row : kPermissions) {
    out.push_back({{"id", row.name}, {"category", row.category}, {"label", row.label}});
  }
  return json_answer(200, out);
}

HttpResponse StatusResource::me(const ApiRequest&, const Principal& who) {
  return json_answer(200, render::wrapped(render::caller(who)));
}

}  // namespace dbackup::host
