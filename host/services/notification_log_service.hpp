#pragma once

#include <string>
#include <vector>

#include "model/notification_log.hpp"
#include "services/kept_answers.hpp"
#include "store/notification_log_store.hpp"

namespace dbackup::host {

/// What was told to channels. [any-thread]
class NotificationLogService {
 public:
  explicit NotificationLogService(Database& database) : database_{database} {}

  /// Newest first.
  std::vector<NotificationLog> list(const NotificationLogFilter& filter, int64_t limit, int64_t offset);
  /// Exact up to 2,000; beyond it a count may be some seconds old: see KeptAnswers.
  int64_t count(const NotificationLogFilter& filter);
  NotificationLog get(const std::string& id);  ///< throws Error{NotFound}

 private:
  Database& database_;
  KeptAnswers<int64_t> totals_;
};

}  // namespace dbackup::host
