#include "api/schemas_dashboard.hpp"

#include "api/page.hpp"

namespace dbackup::host::schemas {

using namespace schema;

namespace {
Json day() { return described(text(), "yyyy-MM-dd in the system time zone"); }
Json counts(std::initializer_list<std::string_view> names) {
  Json out = object({});
  for (const auto name : names) out = merged(std::move(out), object({required(name, integer())}));
  return out;
}
}  // namespace

Json calendar_query() {
  return object(
      {optional("year", described(integer(2000, 2100), "the last twelve months without it"))});
}
Json calendar() {
  return wrapped(
      list_of(titled("CalendarDay", merged(object({required("date", day())}),
                                           counts({"total", "completed", "failed", "partial"})))));
}
Json calendar_years() { return wrapped(list_of(integer())); }
Json dashboard_stats() {
  return wrapped(titled(
      "DashboardStats",
      merged(counts({"totalJobs", "activeSchedules", "success24h", "failed24h", "totalSnapshots",
                     "totalStorageBytes"}),
             object({required(
                 "successRate30d",
                 described(number(), "per cent of the runs that ended; 100 without any"))}))));
}
Json activity_query() { return object({optional("days", integer(1, 366))}); }
Json activity() {
  return wrapped(list_of(titled(
      "ActivityDay",
      merged(object({required("date", day())}),
             counts({"completed", "failed", "partial", "running", "pending", "cancelled"})))));
}
Json status_distribution() {
  return wrapped(list_of(
      titled("StatusCount", object({required("status", text()), required("count", integer())}))));
}
Json dashboard_storage() {
  const Json row =
      titled("StorageUse",
             object({required("configId", text()), required("name", text()),
                     required("adapterId", text()), required("size", described(integer(), "bytes")),
                     required("count", integer()), optional("scanError", text())}));
  return merged(
      wrapped(list_of(row)),
      object({required("updatedAt", described(nullable(date()), "of the newest listing"))}));
}
Json latest_runs_query() { return object({optional("limit", integer(1, 100))}); }
Json latest_runs() {
  return wrapped(list_of(titled(
      "LatestRun",
      object({required("id", text()), required("type", text()), required("status", text()),
              required("jobName", nullable(text())), required("sourceName", nullable(text())),
              required("sourceType", nullable(text())), required("databaseName", nullable(text())),
              required("startedAt", date()),
              required("duration", described(integer(), "milliseconds"))}))));
}
Json notification_logs_query() {
  return merged(object({optional("adapterId", described(text(1, 100), "kind of the channel")),
                        optional("eventType", text(1, 100)),
                        optional("status", one_of({"Success", "Failed"})),
                        optional("executionId", text(1, 100))}),
                page_query());
}
Json notification_log() {
  return titled(
      "NotificationLog",
      object({required("id", text()), required("eventType", text()),
              required("channelId", nullable(text())), required("channelName", text()),
              required("adapterId", text()), required("status", one_of({"Success", "Failed"})),
              required("title", text()), required("message", text()),
              required("fields", described(nullable(text()), "JSON as text")),
              required("color", nullable(text())), required("renderedHtml", nullable(text())),
              required("renderedPayload", described(nullable(text()), "JSON as text")),
              required("error", nullable(text())), required("executionId", nullable(text())),
              required("sentAt", date())}));
}
Json notification_logs() { return paged(notification_log()); }

}  // namespace dbackup::host::schemas
