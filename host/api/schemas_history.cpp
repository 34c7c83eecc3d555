#include "api/schemas_history.hpp"

namespace dbackup::host::schemas {

using namespace schema;

Json health_query() {
  return object({optional("limit", described(integer(1, INT64_MAX), "100; at most 1000 come back")),
                 optional("from", described(date(), "checks at that time and later"))});
}
Json health_history() {
  const Json check =
      object({required("id", text()), required("status", one_of({"ONLINE", "DEGRADED", "OFFLINE"})),
              required("latencyMs", described(integer(), "until the answer or the failure")),
              required("createdAt", date()), required("error", nullable(text()))});
  const Json stats =
      object({required("uptime", described(number(), "share of ONLINE, in percent")),
              required("avgLatency", described(integer(), "ms, of those that answered")),
              required("totalChecks", integer())});
  return object({required("history", described(list_of(check), "newest first")),
                 required("stats", described(stats, "of the checks in this answer"))});
}
Json versions_query() {
  return object({optional("limit", described(integer(), "100; taken as 1 to 500"))});
}
Json version_history() {
  const Json change = object({required("id", text()), required("previousVersion", nullable(text())),
                              required("newVersion", text()), required("edition", nullable(text())),
                              required("detectedAt", date())});
  return object({required("success", flag()),
                 required("history", described(list_of(change), "newest first"))});
}
Json storage_history_query() {
  return object({optional("days", described(integer(), "30; taken as 1 to 365"))});
}
Json storage_history() {
  const Json snapshot =
      object({required("date", date()), required("size", described(integer(), "bytes")),
              required("count", described(integer(), "backups")),
              required("createdAt", described(date(), "same as date")),
              required("totalSize", described(integer(), "same as size")),
              required("fileCount", described(integer(), "same as count"))});
  return wrapped(described(list_of(snapshot), "oldest first"));
}

}  // namespace dbackup::host::schemas
