#include "api/resources/audit_log_resource.hpp"

#include <algorithm>

#include "api/page.hpp"
#include "api/render.hpp"
#include "api/schemas_settings.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

constexpr int64_t kPageSize = 20;
constexpr TimeMs kDay = TimeMs{24} * 3600 * 1000;

/// A day by UTC - its first instant, or its last - or an instant.
std::optional<TimeMs> instant(const ApiRequest& request, const std::string& field, bool is_end) {
  const std::string text = request.query(field);
  if (text.empty()) return std::nullopt;
  const bool is_day =
      text.size() == 10 && std::ranges::none_of(text, [](char c) { return c == 'T' || c == 't'; });
  if (!is_day) return parse_iso8601(text, field);
  return parse_iso8601(text + "T00:00:00Z", field) + (is_end ? kDay - 1 : 0);
}

Json entry_json(const AuditEntry& entry, const AuditPage& page) {
  const auto found = page.users.find(entry.user_id);
  Json user;
  if (found != page.users.end()) {
    user = {{"id", found->second.id},
            {"name", render::text_or_null(found->second.name)},
            {"email", render::text_or_null(found->second.email)},
            {"image", render::text_or_null(found->second.image)}};
  }
  const bool has_details = entry.details.is_object() && !entry.details.empty();
  return {{"id", entry.id},
          {"userId", render::text_or_null(entry.user_id)},
          {"user", std::move(user)},
          {"action", entry.action},
          {"resource", entry.resource},
          {"resourceId", render::text_or_null(entry.resource_id)},
          {"details", has_details ? Json(dump_json(entry.details)) : Json{}},
          {"ipAddress", render::text_or_null(entry.ip_address)},
          {"userAgent", render::text_or_null(entry.user_agent)},
          {"createdAt", format_iso8601(entry.created_at)}};
}

Json counts_json(const std::vector<std::pair<std::string, int64_t>>& counts) {
  Json out = Json::array();
  for (const auto& [value, count] : counts) out.push_back({{"value", value}, {"count", count}});
  return out;
}

}  // namespace

const Route<AuditLogResource> AuditLogResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/audit",
     .access = Permission::AuditRead,
     .handler = &AuditLogResource::list,
     .summary = "The audit log, newest first",
     .section = "Audit",
     .query = schemas::audit_query,
     .response = schemas::audit_page},
    {.method = Method::Get,
     .path = "/api/audit/stats",
     .access = Permission::AuditRead,
     .handler = &AuditLogResource::stats,
     .summary = "How many entries there are of each action and resource",
     .section = "Audit",
     .response = schemas::audit_stats},
};

void AuditLogResource::mount(RouteTable& table) { table.mount<AuditLogResource>(*this, kRoutes); }

HttpResponse AuditLogResource::list(const ApiRequest& request, const Principal&) {
  const Page page = page_of(request, kPageSize, "limit");
  AuditFilter filter{.user_id = request.query("userId"),
                     .action = request.query("action"),
                     .resource = request.query("resource")};
  filter.from = instant(request, "startDate", /*is_end=*/false);
  filter.to = instant(request, "endDate", /*is_end=*/true);
  filter.search = request.query("search");
  filter.limit = page.size;
  filter.offset = page.offset();
  const AuditPage found = services_.audit_reader.list(filter);
  Json logs = Json::array();
  for (const auto& entry : found.entries) logs.push_back(entry_json(entry, found));
  return json_answer(
      200, render::wrapped(render::paginated("logs", std::move(logs), found.total, page)));
}

HttpResponse AuditLogResource::stats(const ApiRequest&, const Principal&) {
  const AuditStats stats = services_.audit_reader.stats();
  return json_answer(200, render::wrapped({{"actions", counts_json(stats.actions)},
                                           {"resources", counts_json(stats.resources)}}));
}

}  // namespace dbackup::host
