#include "services/notification_log_service.hpp"

#include "base/json.hpp"

namespace dbackup::host {

std::vector<NotificationLog> NotificationLogService::list(const NotificationLogFilter& filter,
                                                          int64_t limit, int64_t offset) {
  std::vector<NotificationLog> out;
  database_.read(
      [&](Session& session) { out = NotificationLogStore{}.list(session, filter, limit, offset); });
  return out;
}

int64_t NotificationLogService::count(const NotificationLogFilter& filter) {
  const auto counted = [&](int64_t most) {
    int64_t count = 0;
    database_.read(
        [&](Session& session) { count = NotificationLogStore{}.count(session, filter, most); });
    return count;
  };
  const Json key{filter.adapter_id, filter.event_type, filter.status, filter.execution_id};
  return counted_or_kept(totals_, dump_json(key), counted);
}

NotificationLog NotificationLogService::get(const std::string& id) {
  std::optional<NotificationLog> found;
  database_.read([&](Session& session) { found = NotificationLogStore{}.find(session, id); });
  if (!found) throw Error(ErrorCode::NotFound, "notification log entry not found");
  return std::move(*found);
}

}  // namespace dbackup::host
