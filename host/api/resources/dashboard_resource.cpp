#include "api/resources/dashboard_resource.hpp"

#include <algorithm>

#include "api/page.hpp"
#include "api/render.hpp"
#include "api/schemas_dashboard.hpp"
#include "services/services.hpp"

namespace dbackup::host {

const Route<DashboardResource> DashboardResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/dashboard/calendar",
     .access = Permission::HistoryRead,
     .handler = &DashboardResource::calendar,
     .summary = "Backups of each day of a year, or of the last twelve months",
     .section = "Dashboard",
     .query = schemas::calendar_query,
     .response = schemas::calendar,
     .failures = kBadRequest},
    {.method = Method::Get,
     .path = "/api/dashboard/calendar/years",
     .access = Permission::HistoryRead,
     .handler = &DashboardResource::years,
     .summary = "Years with backups",
     .section = "Dashboard",
     .response = schemas::calendar_years},
    {.method = Method::Get,
     .path = "/api/dashboard/stats",
     .access = Permission::HistoryRead,
     .handler = &DashboardResource::stats,
     .summary = "Jobs, runs and stored backups in numbers",
     .section = "Dashboard",
     .response = schemas::dashboard_stats},
    {.method = Method::Get,
     .path = "/api/dashboard/activity",
     .access = Permission::HistoryRead,
     .handler = &DashboardResource::activity,
     .summary = "Runs of each of the last days, by how they ended",
     .section = "Dashboard",
     .query = schemas::activity_query,
     .response = schemas::activity,
     .failures = kBadRequest},
    {.method = Method::Get,
     .path = "/api/dashboard/status-distribution",
     .access = Permission::HistoryRead,
     .handler = &DashboardResource::statuses,
     .summary = "Runs of the last 30 days by status",
     .section = "Dashboard",
     .response = schemas::status_distribution},
    {.method = Method::Get,
     .path = "/api/dashboard/storage",
     .access = Permission::StorageRead,
     .handler = &DashboardResource::storage,
     .summary = "What lies at each destination",
     .section = "Dashboard",
     .response = schemas::dashboard_storage},
    {.method = Method::Get,
     .path = "/api/dashboard/latest",
     .access = Permission::HistoryRead,
     .handler = &DashboardResource::latest,
     .summary = "The newest runs in short",
     .section = "Dashboard",
     .query = schemas::latest_runs_query,
     .response = schemas::latest_runs,
     .failures = kBadRequest},
    {.method = Method::Get,
     .path = "/api/notification-logs",
     .access = Permission::HistoryRead,
     .handler = &DashboardResource::notifications,
     .summary = "What was told to notification channels, newest first",
     .section = "Notification log",
     .query = schemas::notification_logs_query,
     .response = schemas::notification_logs,
     .failures = kBadRequest},
    {.method = Method::Get,
     .path = "/api/notification-logs/{id}",
     .access = Permission::HistoryRead,
     .handler = &DashboardResource::notification,
     .summary = "One entry of the notification log",
     .section = "Notification log",
     .response = schemas::notification_log,
     .failures = kMissing},
};

void DashboardResource::mount(RouteTable& table) { table.mount<DashboardResource>(*this, kRoutes); }

namespace {

Json notification_json(const NotificationLog& entry) {
  using render::text_or_null;
  return {{"id", entry.id},
          {"eventType", entry.event_type},
          {"channelId", text_or_null(entry.channel_id)},
          {"channelName", entry.channel_name},
          {"adapterId", entry.adapter_id},
          {"status", entry.status},
          {"title", entry.title},
          {"message", entry.message},
          {"fields", text_or_null(entry.fields)},
          {"color", text_or_null(entry.color)},
          {"renderedHtml", text_or_null(entry.rendered_html)},
          {"renderedPayload", text_or_null(entry.rendered_payload)},
          {"error", text_or_null(entry.error)},
          {"executionId", text_or_null(entry.execution_id)},
          {"sentAt", format_iso8601(entry.sent_at)}};
}

/// A text member of what a run noted about itself; null when it did not.
Json noted(const Execution& run, const char* name) {
  if (!run.metadata.is_object()) return nullptr;
  const auto found = run.metadata.find(name);
  return found != run.metadata.end() && found->is_string() ? *found : Json{};
}

}  // namespace

HttpResponse DashboardResource::calendar(const ApiRequest& request, const Principal&) {
  std::optional<int> year;
  if (const auto given = request.query_integer("year", 0); given != 0)
    year = static_cast<int>(given);
  Json out = Json::array();
  for (const auto& day : services_.dashboard.calendar(year)) {
    out.push_back({{"date", day.date},
                   {"total", day.runs.total()},
                   {"completed", day.runs.success},
                   {"failed", day.runs.failed},
                   {"partial", day.runs.partial}});
  }
  return json_answer(200, render::wrapped(std::move(out)));
}

HttpResponse DashboardResource::years(const ApiRequest&, const Principal&) {
  return json_answer(200, render::wrapped(services_.dashboard.years()));
}

HttpResponse DashboardResource::stats(const ApiRequest&, const Principal&) {
  const auto stats = services_.dashboard.stats();
  return json_answer(200, render::wrapped({{"totalJobs", stats.jobs},
                                           {"activeSchedules", stats.active_schedules},
                                           {"success24h", stats.success_24h},
                                           {"failed24h", stats.failed_24h},
                                           {"totalSnapshots", stats.snapshots},
                                           {"totalStorageBytes", stats.bytes},
                                           {"successRate30d", stats.success_rate_30d}}));
}

HttpResponse DashboardResource::activity(const ApiRequest& request, const Principal&) {
  Json out = Json::array();
  for (const auto& day :
       services_.dashboard.activity(static_cast<int>(request.query_integer("days", 14)))) {
    out.push_back({{"date", day.date},
                   {"completed", day.runs.success},
                   {"failed", day.runs.failed},
                   {"partial", day.runs.partial},
                   {"running", day.runs.running},
                   {"pending", day.runs.pending},
                   {"cancelled", day.runs.cancelled}});
  }
  return json_answer(200, render::wrapped(std::move(out)));
}

HttpResponse DashboardResource::statuses(const ApiRequest&, const Principal&) {
  const StatusCounts counts = services_.dashboard.last_30_days();
  const int64_t numbers[] = {counts.pending, counts.running, counts.success,
                             counts.partial, counts.failed,  counts.cancelled};
  Json out = Json::array();
  for (size_t i = 0; i < kRunStatuses.size(); ++i) {
    if (numbers[i] > 0) out.push_back({{"status", kRunStatuses[i]}, {"count", numbers[i]}});
  }
  return json_answer(200, render::wrapped(std::move(out)));
}

HttpResponse DashboardResource::storage(const ApiRequest&, const Principal&) {
  const auto storage = services_.dashboard.storage();
  Json out = Json::array();
  for (const auto& row : storage.destinations) {
    Json item{{"configId", row.config_id},
              {"name", row.name},
              {"adapterId", row.adapter_id},
              {"size", row.bytes},
              {"count", row.count}};
    if (!row.scan_error.empty()) item["scanError"] = row.scan_error;
    out.push_back(std::move(item));
  }
  Json answer = render::wrapped(std::move(out));
  answer["updatedAt"] = render::date_or_null(storage.updated_at);
  return json_answer(200, answer);
}

HttpResponse DashboardResource::latest(const ApiRequest& request, const Principal&) {
  const TimeMs now = services_.control.context().clock.now_ms();
  Json out = Json::array();
  for (const Execution& run : services_.dashboard.latest(request.query_integer("limit", 20))) {
    Json database;
    if (run.metadata.is_object()) {
      const Json names = run.metadata.value("names", Json::array());
      if (names.is_array() && names.size() == 1) database = names.front();
    }
    if (database.is_null()) database = noted(run, "label");
    out.push_back({{"id", run.id},
                   {"type", run.type},
                   {"status", run.status},
                   {"jobName", render::text_or_null(run.job_name)},
                   {"sourceName", noted(run, "sourceName")},
                   {"sourceType", noted(run, "sourceType")},
                   {"databaseName", std::move(database)},
                   {"startedAt", format_iso8601(run.started_at)},
                   {"duration", std::max<TimeMs>(0, run.ended_at.value_or(now) - run.started_at)}});
  }
  return json_answer(200, render::wrapped(std::move(out)));
}

HttpResponse DashboardResource::notifications(const ApiRequest& request, const Principal&) {
  const NotificationLogFilter filter{.adapter_id = request.query("adapterId"),
                                     .event_type = request.query("eventType"),
                                     .status = request.query("status"),
                                     .execution_id = request.query("executionId")};
  const Page page = page_of(request);
  Json items = Json::array();
  for (const auto& entry : services_.notification_log.list(filter, page.size, page.offset()))
    items.push_back(notification_json(entry));
  return json_answer(
      200, render::paged(std::move(items), services_.notification_log.count(filter), page));
}

HttpResponse DashboardResource::notification(const ApiRequest& request, const Principal&) {
  return json_answer(200, notification_json(services_.notification_log.get(request.param())));
}

}  // namespace dbackup::host
