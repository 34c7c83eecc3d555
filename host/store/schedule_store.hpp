#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// When a job shall run.
struct JobSchedule {
  std::string job_id, job_name;
  bool enabled = true;
  std::string schedule;  ///< in force: of the linked preset, else the job's own
  TimeMs since = 0;      ///< last change of the job or its preset: nothing before is due by it
};

/// Schedules of jobs, and which of their due times have been taken. A row per due time, unique over
/// all hosts of the database.
class ScheduleStore {
 public:
  std::vector<JobSchedule> jobs(Session& session, bool enabled_only) const;
  std::optional<JobSchedule> job(Session& session, const std::string& job_id) const;

  /// Takes a due time; false when somebody has it already. In the transaction that makes the execution.
  bool take(Session& session, const std::string& job_id, TimeMs fire_at,
            const std::string& execution_id) const;
  bool is_taken(Session& session, const std::string& job_id, TimeMs fire_at) const;
  bool take_task(Session& session, const std::string& task_id, TimeMs fire_at) const;
  /// Rows of due times before `limit`; how many went.
  int64_t remove_older_than(Session& session, TimeMs limit) const;
};

}  // namespace dbackup::host
