#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/notification_log.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// Which entries: all that are set apply.
struct NotificationLogFilter {
  std::string adapter_id = {}, event_type = {}, status = {}, execution_id = {};
};

class NotificationLogStore {
 public:
  void insert(Session& session, const NotificationLog& entry) const;
  std::optional<NotificationLog> find(Session& session, const std::string& id) const;
  /// Newest first.
  std::vector<NotificationLog> list(Session& session, const NotificationLogFilter& filter, int64_t limit,
                                    int64_t offset) const;
  /// How many fit, counted up to `most`; 0: to the end.
  int64_t count(Session& session, const NotificationLogFilter& filter, int64_t most) const;
  /// Drops entries that were sent before `limit`; how many.
  int64_t remove_older_than(Session& session, TimeMs limit) const;
};

}  // namespace dbackup::host
