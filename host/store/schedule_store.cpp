#include "store/schedule_store.hpp"

#include "store/columns.hpp"
#include "store/query.hpp"

namespace dbackup::host {
namespace {

std::vector<JobSchedule> select(Session& session, const std::string& rest, const std::string* id) {
  JobSchedule row;
  std::string own;
  std::string preset;
  long long enabled = 0;
  long long changed = 0;
  long long preset_changed = 0;
  Query query{session,
              "SELECT jobs.id, jobs.name, jobs.enabled, jobs.schedule, COALESCE(templates.content, '{}'), "
              "jobs.updated_at, COALESCE(templates.updated_at, 0) FROM jobs LEFT JOIN templates "
              "ON templates.id = jobs.schedule_preset_id " +
                  rest};
  query.out(row.job_id).out(row.job_name).out(enabled).out(own).out(preset).out(changed);
  query.out(preset_changed);
  if (id != nullptr) query.bind(*id);
  std::vector<JobSchedule> out;
  while (query.next()) {
    const Json content = columns::json_column(preset);
    const auto linked = content.is_object() ? content.value("schedule", "") : std::string{};
    row.enabled = enabled != 0;
    row.schedule = linked.empty() ? own : linked;
    row.since = std::max(changed, preset_changed);
    out.push_back(row);
  }
  return out;
}

}  // namespace

std::vector<JobSchedule> ScheduleStore::jobs(Session& session, bool enabled_only) const {
  return select(session, enabled_only ? "WHERE jobs.enabled = 1 ORDER BY jobs.id" : "ORDER BY jobs.id",
                nullptr);
}

std::optional<JobSchedule> ScheduleStore::job(Session& session, const std::string& job_id) const {
  auto rows = select(session, "WHERE jobs.id = :id", &job_id);
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

bool ScheduleStore::take(Session& session, const std::string& job_id, TimeMs fire_at,
                         const std::string& execution_id) const {
  const long long at = fire_at;
  Query query{session,
              "INSERT INTO schedule_fires (job_id, fire_at, execution_id) VALUES (:j, :a, :e) "
              "ON CONFLICT (job_id, fire_at) DO NOTHING"};
  return query.bind(job_id).bind(at).bind(execution_id).run() > 0;
}

bool ScheduleStore::is_taken(Session& session, const std::string& job_id, TimeMs fire_at) const {
  const long long at = fire_at;
  long long count = 0;
  Query query{session, "SELECT COUNT(*) FROM schedule_fires WHERE job_id = :j AND fire_at = :a"};
  query.out(count).bind(job_id).bind(at);
  query.next();
  return count > 0;
}

bool ScheduleStore::take_task(Session& session, const std::string& task_id, TimeMs fire_at) const {
  const long long at = fire_at;
  Query query{session,
              "INSERT INTO task_fires (task_id, fire_at) VALUES (:t, :a) "
              "ON CONFLICT (task_id, fire_at) DO NOTHING"};
  return query.bind(task_id).bind(at).run() > 0;
}

int64_t ScheduleStore::remove_older_than(Session& session, TimeMs limit) const {
  const long long before = limit;
  int64_t gone = 0;
  gone += Query{session, "DELETE FROM schedule_fires WHERE fire_at < :at"}.bind(before).run();
  gone += Query{session, "DELETE FROM task_fires WHERE fire_at < :at"}.bind(before).run();
  return gone;
}

}  // namespace dbackup::host
