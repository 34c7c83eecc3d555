#include "store/job_store.hpp"

#include <map>

#include "store/columns.hpp"
#include "store/query.hpp"

namespace dbackup::host {
namespace {

using Jobs = std::vector<Job>;

void load_destinations(Session& session, Jobs& jobs, const std::string& where, const std::string* id) {
  std::map<std::string, Job*> by_id;
  for (Job& job : jobs) by_id[job.id] = &job;
  JobDestination row;
  std::string retention;
  long long priority = 0;
  long long created_at = 0;
  long long updated_at = 0;
  Query query{session,
              "SELECT id, job_id, config_id, priority, retention, COALESCE(retention_policy_id, ''), "
              "created_at, updated_at FROM job_destinations " +
                  where + " ORDER BY priority, id"};
  query.out(row.id).out(row.job_id).out(row.config_id).out(priority).out(retention);
  query.out(row.retention_policy_id).out(created_at).out(updated_at);
  if (id != nullptr) query.bind(*id);
  while (query.next()) {
    const auto found = by_id.find(row.job_id);
    if (found == by_id.end()) continue;
    JobDestination destination = row;
    destination.priority = priority;
    destination.retention = columns::json_column(retention);
    destination.created_at = created_at;
    destination.updated_at = updated_at;
    found->second->destinations.push_back(std::move(destination));
  }
}

void load_notifications(Session& session, Jobs& jobs, const std::string& where, const std::string* id) {
  std::map<std::string, Job*> by_id;
  for (Job& job : jobs) by_id[job.id] = &job;
  std::string job_id;
  std::string config_id;
  Query query{session, "SELECT job_id, config_id FROM job_notifications " + where + " ORDER BY position"};
  query.out(job_id).out(config_id);
  if (id != nullptr) query.bind(*id);
  while (query.next()) {
    const auto found = by_id.find(job_id);
    if (found != by_id.end()) found->second->notification_ids.push_back(config_id);
  }
}

Jobs select(Session& session, const std::string& where, const std::string* value) {
  Job row;
  std::string databases;
  std::string template_ids;
  std::string directory_sources;
  long long enabled = 0;
  long long skip_verification = 0;
  long long full_every_days = 0;
  long long verify_by_hash = 0;
  long long created_at = 0;
  long long updated_at = 0;
  Jobs jobs;
  {
    Query query{session,
                "SELECT id, name, schedule, enabled, COALESCE(source_id, ''), databases, compression, "
                "pg_compression, COALESCE(encryption_profile_id, ''), COALESCE(naming_template_id, ''), "
                "COALESCE(schedule_preset_id, ''), notification_events, notification_template_ids, "
                "skip_verification, backup_mode, full_every_days, verify_by_hash, directory_sources, "
                "created_at, updated_at FROM jobs " +
                    where};
    query.out(row.id).out(row.name).out(row.schedule).out(enabled).out(row.source_id).out(databases);
    query.out(row.compression).out(row.pg_compression).out(row.encryption_profile_id);
    query.out(row.naming_template_id).out(row.schedule_preset_id).out(row.notification_events);
    query.out(template_ids).out(skip_verification).out(row.backup_mode).out(full_every_days);
    query.out(verify_by_hash).out(directory_sources).out(created_at).out(updated_at);
    if (value != nullptr) query.bind(*value);
    while (query.next()) {
      Job job = row;
      job.enabled = enabled != 0;
      job.databases = columns::strings_column(databases);
      job.notification_template_ids = columns::strings_column(template_ids);
      job.skip_verification = skip_verification != 0;
      job.full_every_days = full_every_days;
      job.verify_by_hash = verify_by_hash != 0;
      job.directory_sources = columns::json_column(directory_sources);
      job.created_at = created_at;
      job.updated_at = updated_at;
      jobs.push_back(std::move(job));
    }
  }
  if (jobs.size() == 1) {
    load_destinations(session, jobs, "WHERE job_id = :id", &jobs.front().id);
    load_notifications(session, jobs, "WHERE job_id = :id", &jobs.front().id);
  } else if (!jobs.empty()) {
    load_destinations(session, jobs, "", nullptr);
    load_notifications(session, jobs, "", nullptr);
  }
  return jobs;
}

std::optional<Job> only(Jobs jobs) {
  if (jobs.empty()) return std::nullopt;
  return std::move(jobs.front());
}

void write_row(Session& session, const std::string& sql, const Job& job) {
  using soci::use;
  const std::string databases = dump_json(job.databases);
  const std::string template_ids = dump_json(job.notification_template_ids);
  const std::string directory_sources = dump_json(job.directory_sources);
  const long long enabled = columns::flag(job.enabled);
  const long long skip_verification = columns::flag(job.skip_verification);
  const long long full_every_days = job.full_every_days;
  const long long verify_by_hash = columns::flag(job.verify_by_hash);
  const long long created_at = job.created_at;
  const long long updated_at = job.updated_at;
  session.raw() << sql, use(job.name, "name"), use(job.schedule, "schedule"), use(enabled, "enabled"),
      use(job.source_id, "source"), use(databases, "databases"), use(job.compression, "compression"),
      use(job.pg_compression, "pg_compression"), use(job.encryption_profile_id, "profile"),
      use(job.naming_template_id, "naming"), use(job.schedule_preset_id, "preset"),
      use(job.notification_events, "events"), use(template_ids, "templates"),
      use(skip_verification, "skip_verification"), use(job.backup_mode, "backup_mode"),
      use(full_every_days, "full_every_days"), use(verify_by_hash, "verify_by_hash"),
      use(directory_sources, "directory_sources"), use(created_at, "created_at"),
      use(updated_at, "updated_at"), use(job.id, "id");
}

void write_children(Session& session, const Job& job) {
  using soci::use;
  session.raw() << "DELETE FROM job_destinations WHERE job_id = :id", use(job.id);
  session.raw() << "DELETE FROM job_notifications WHERE job_id = :id", use(job.id);
  for (const JobDestination& destination : job.destinations) {
    const std::string retention = dump_json(destination.retention);
    const long long priority = destination.priority;
    const long long created_at = destination.created_at;
    const long long updated_at = destination.updated_at;
    session.raw() << "INSERT INTO job_destinations (id, job_id, config_id, priority, retention, "
                     "retention_policy_id, created_at, updated_at) VALUES (:id, :job, :config, "
                     ":priority, :retention, NULLIF(:policy, ''), :created, :updated)",
        use(destination.id), use(job.id), use(destination.config_id), use(priority), use(retention),
        use(destination.retention_policy_id), use(created_at), use(updated_at);
  }
  long long position = 0;
  for (const std::string& config_id : job.notification_ids) {
    session.raw() << "INSERT INTO job_notifications (job_id, config_id, position) VALUES (:j, :c, :p)",
        use(job.id), use(config_id), use(position);
    ++position;
  }
}

std::vector<std::string> names(Session& session, const std::string& sql,
                               const std::vector<std::string>& values) {
  std::string name;
  Query query{session, sql};
  query.out(name);
  for (const auto& value : values) query.bind(value);
  std::vector<std::string> out;
  while (query.next()) out.push_back(name);
  return out;
}

}  // namespace

std::vector<Job> JobStore::list(Session& session) const {
  return select(session, "ORDER BY created_at DESC, id DESC", nullptr);
}

std::optional<Job> JobStore::find(Session& session, const std::string& id) const {
  return only(select(session, "WHERE id = :id", &id));
}

std::optional<Job> JobStore::find_by_name(Session& session, const std::string& name) const {
  return only(select(session, "WHERE name = :name", &name));
}

void JobStore::insert(Session& session, const Job& job) const {
  write_row(session,
            "INSERT INTO jobs (name, schedule, enabled, source_id, databases, compression, "
            "pg_compression, encryption_profile_id, naming_template_id, schedule_preset_id, "
            "notification_events, notification_template_ids, skip_verification, backup_mode, "
            "full_every_days, verify_by_hash, directory_sources, created_at, updated_at, id) VALUES "
            "(:name, :schedule, :enabled, NULLIF(:source, ''), :databases, :compression, "
            ":pg_compression, NULLIF(:profile, ''), NULLIF(:naming, ''), NULLIF(:preset, ''), :events, "
            ":templates, :skip_verification, :backup_mode, :full_every_days, :verify_by_hash, "
            ":directory_sources, :created_at, :updated_at, :id)",
            job);
  write_children(session, job);
}

void JobStore::update(Session& session, const Job& job) const {
  write_row(session,
            "UPDATE jobs SET name = :name, schedule = :schedule, enabled = :enabled, "
            "source_id = NULLIF(:source, ''), databases = :databases, compression = :compression, "
            "pg_compression = :pg_compression, encryption_profile_id = NULLIF(:profile, ''), "
            "naming_template_id = NULLIF(:naming, ''), schedule_preset_id = NULLIF(:preset, ''), "
            "notification_events = :events, notification_template_ids = :templates, "
            "skip_verification = :skip_verification, backup_mode = :backup_mode, "
            "full_every_days = :full_every_days, verify_by_hash = :verify_by_hash, "
            "directory_sources = :directory_sources, created_at = :created_at, "
            "updated_at = :updated_at WHERE id = :id",
            job);
  write_children(session, job);
}

bool JobStore::remove(Session& session, const std::string& id) const {
  return Query{session, "DELETE FROM jobs WHERE id = :id"}.bind(id).run() > 0;
}

std::vector<std::string> JobStore::names_using_adapter(Session& session,
                                                       const std::string& config_id) const {
  // Directory sources are kept as JSON; an id is a UUID, so a text match cannot hit anything else.
  const std::string inside_json = "%\"" + config_id + "\"%";
  return names(session,
               "SELECT name FROM jobs WHERE source_id = :a OR directory_sources LIKE :b "
               "OR id IN (SELECT job_id FROM job_destinations WHERE config_id = :c) "
               "OR id IN (SELECT job_id FROM job_notifications WHERE config_id = :d) ORDER BY name",
               {config_id, inside_json, config_id, config_id});
}

std::vector<std::string> JobStore::names_using_profile(Session& session,
                                                       const std::string& profile_id) const {
  return names(session, "SELECT name FROM jobs WHERE encryption_profile_id = :p ORDER BY name",
               {profile_id});
}

}  // namespace dbackup::host
