#include "store/job_store.hpp"

#include <map>

#include "store/columns.hpp"
#include "store/query.hpp"

namespace dbackup::host {
namespace {

using Jobs = std::vector<Job>;
using ById = std::map<std::string, Job*>;

/// Which jobs, as the rest of a SELECT, and what it binds.
struct Choice {
  std::string rest;
  std::vector<std::string> texts;
  std::vector<long long> numbers;  ///< after the texts
};

void bind_all(Query& query, const Choice& choice) {
  for (const auto& text : choice.texts) query.bind(text);
  for (const auto& number : choice.numbers) query.bind(number);
}

/// Rows of a table that belongs to the chosen jobs.
std::string of_jobs(const Choice& choice, const char* column = "job_id") {
  if (choice.texts.empty() && choice.numbers.empty()) return "";
  return std::string{" WHERE "} + column + " IN (SELECT id FROM jobs " + choice.rest + ")";
}

void load_destinations(Session& session, const ById& by_id, const Choice& choice) {
  JobDestination row;
  std::string retention;
  long long priority = 0;
  long long created_at = 0;
  long long updated_at = 0;
  Query query{session,
              "SELECT id, job_id, config_id, priority, retention, COALESCE(retention_policy_id, ''), "
              "created_at, updated_at FROM job_destinations" +
                  of_jobs(choice) + " ORDER BY priority, id"};
  query.out(row.id).out(row.job_id).out(row.config_id).out(priority).out(retention);
  query.out(row.retention_policy_id).out(created_at).out(updated_at);
  bind_all(query, choice);
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

void load_notifications(Session& session, const ById& by_id, const Choice& choice) {
  std::string job_id;
  std::string config_id;
  Query query{session, "SELECT job_id, config_id FROM job_notifications" + of_jobs(choice) +
                           " ORDER BY position"};
  query.out(job_id).out(config_id);
  bind_all(query, choice);
  while (query.next()) {
    const auto found = by_id.find(job_id);
    if (found != by_id.end()) found->second->notification_ids.push_back(config_id);
  }
}

void load_notification_templates(Session& session, const ById& by_id, const Choice& choice) {
  std::string job_id;
  JobNotificationTemplate row;
  long long priority = 0;
  Query query{session, "SELECT id, job_id, template_id, priority FROM job_notification_templates" +
                           of_jobs(choice) + " ORDER BY priority, id"};
  query.out(row.id).out(job_id).out(row.template_id).out(priority);
  bind_all(query, choice);
  while (query.next()) {
    const auto found = by_id.find(job_id);
    if (found == by_id.end()) continue;
    row.priority = priority;
    found->second->notification_templates.push_back(row);
  }
}

void load_sources(Session& session, const ById& by_id, const Choice& choice) {
  JobSource row;
  std::string job_id;
  std::string patterns;
  long long priority = 0;
  long long stop_containers = 0;
  long long created_at = 0;
  long long updated_at = 0;
  {
    Query query{session,
                "SELECT id, job_id, config_id, path, priority, exclude_patterns, stop_containers, "
                "created_at, updated_at FROM job_sources" +
                    of_jobs(choice) + " ORDER BY priority, id"};
    query.out(row.id).out(job_id).out(row.config_id).out(row.path).out(priority).out(patterns);
    query.out(stop_containers).out(created_at).out(updated_at);
    bind_all(query, choice);
    while (query.next()) {
      const auto found = by_id.find(job_id);
      if (found == by_id.end()) continue;
      JobSource source = row;
      source.priority = priority;
      source.exclude_patterns = columns::strings_column(patterns);
      source.stop_containers = stop_containers != 0;
      source.created_at = created_at;
      source.updated_at = updated_at;
      found->second->directory_sources.push_back(std::move(source));
    }
  }
  std::map<std::string, JobSource*> sources;
  for (const auto& [id, job] : by_id) {
    for (JobSource& source : job->directory_sources) sources[source.id] = &source;
  }
  if (sources.empty()) return;
  std::string source_id;
  std::string template_id;
  const std::string which = of_jobs(choice);
  Query query{session, "SELECT source_id, template_id FROM job_source_presets" +
                           (which.empty() ? which
                                          : " WHERE source_id IN (SELECT id FROM job_sources" + which + ")") +
                           " ORDER BY position"};
  query.out(source_id).out(template_id);
  bind_all(query, choice);
  while (query.next()) {
    const auto found = sources.find(source_id);
    if (found != sources.end()) found->second->exclude_preset_ids.push_back(template_id);
  }
}

Jobs select(Session& session, const Choice& choice) {
  Job row;
  std::string databases;
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
                "COALESCE(schedule_preset_id, ''), notification_events, "
                "skip_verification, backup_mode, full_every_days, verify_by_hash, "
                "created_at, updated_at FROM jobs " +
                    choice.rest};
    query.out(row.id).out(row.name).out(row.schedule).out(enabled).out(row.source_id).out(databases);
    query.out(row.compression).out(row.pg_compression).out(row.encryption_profile_id);
    query.out(row.naming_template_id).out(row.schedule_preset_id).out(row.notification_events);
    query.out(skip_verification).out(row.backup_mode).out(full_every_days);
    query.out(verify_by_hash).out(created_at).out(updated_at);
    bind_all(query, choice);
    while (query.next()) {
      Job job = row;
      job.enabled = enabled != 0;
      job.databases = columns::strings_column(databases);
      job.skip_verification = skip_verification != 0;
      job.full_every_days = full_every_days;
      job.verify_by_hash = verify_by_hash != 0;
      job.created_at = created_at;
      job.updated_at = updated_at;
      jobs.push_back(std::move(job));
    }
  }
  if (jobs.empty()) return jobs;
  ById by_id;
  for (Job& job : jobs) by_id[job.id] = &job;
  load_destinations(session, by_id, choice);
  load_notifications(session, by_id, choice);
  load_notification_templates(session, by_id, choice);
  load_sources(session, by_id, choice);
  return jobs;
}

std::optional<Job> only(Jobs jobs) {
  if (jobs.empty()) return std::nullopt;
  return std::move(jobs.front());
}

void write_row(Session& session, const std::string& sql, const Job& job) {
  using soci::use;
  const std::string databases = dump_json(job.databases);
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
      use(job.notification_events, "events"),
      use(skip_verification, "skip_verification"), use(job.backup_mode, "backup_mode"),
      use(full_every_days, "full_every_days"), use(verify_by_hash, "verify_by_hash"),
      use(created_at, "created_at"), use(updated_at, "updated_at"), use(job.id, "id");
}

void write_sources(Session& session, const Job& job) {
  using soci::use;
  session.raw() << "DELETE FROM job_sources WHERE job_id = :id", use(job.id);  // presets go with them
  for (const JobSource& source : job.directory_sources) {
    const std::string patterns = dump_json(source.exclude_patterns);
    const long long priority = source.priority;
    const long long stop_containers = columns::flag(source.stop_containers);
    const long long created_at = source.created_at;
    const long long updated_at = source.updated_at;
    session.raw() << "INSERT INTO job_sources (id, job_id, config_id, path, priority, exclude_patterns, "
                     "stop_containers, created_at, updated_at) VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i)",
        use(source.id), use(job.id), use(source.config_id), use(source.path), use(priority), use(patterns),
        use(stop_containers), use(created_at), use(updated_at);
    long long position = 0;
    for (const std::string& preset : source.exclude_preset_ids) {
      session.raw() << "INSERT INTO job_source_presets (source_id, template_id, position) "
                       "VALUES (:s, :t, :p)",
          use(source.id), use(preset), use(position);
      ++position;
    }
  }
}

void write_children(Session& session, const Job& job) {
  using soci::use;
  session.raw() << "DELETE FROM job_destinations WHERE job_id = :id", use(job.id);
  session.raw() << "DELETE FROM job_notifications WHERE job_id = :id", use(job.id);
  session.raw() << "DELETE FROM job_notification_templates WHERE job_id = :id", use(job.id);
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
  for (const JobNotificationTemplate& link : job.notification_templates) {
    const long long priority = link.priority;
    session.raw() << "INSERT INTO job_notification_templates (id, job_id, template_id, priority) "
                     "VALUES (:i, :j, :t, :p)",
        use(link.id), use(job.id), use(link.template_id), use(priority);
  }
  write_sources(session, job);
}

/// With "!" before what LIKE would read as a pattern.
std::string like_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '!') out += '!';
    out += c;
  }
  return out;
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

std::vector<Job> JobStore::list(Session& session, const JobFilter& filter) const {
  Choice choice;
  const auto also = [&choice](const std::string& condition) {
    choice.rest += (choice.rest.empty() ? "WHERE " : "AND ") + condition + " ";
  };
  if (!filter.search.empty()) {
    also("LOWER(name) LIKE LOWER(:search) ESCAPE '!'");
    choice.texts.push_back("%" + like_escaped(filter.search) + "%");
  }
  if (filter.enabled) {
    also("enabled = :enabled");
    choice.numbers.push_back(columns::flag(*filter.enabled));
  }
  choice.rest += "ORDER BY created_at DESC, id DESC";
  if (filter.limit > 0) {
    choice.rest += " LIMIT :limit OFFSET :offset";
    choice.numbers.insert(choice.numbers.end(), {filter.limit, filter.offset});
  }
  return select(session, choice);
}

std::optional<Job> JobStore::find(Session& session, const std::string& id) const {
  return only(select(session, {"WHERE id = :id", {id}, {}}));
}

std::optional<Job> JobStore::find_by_name(Session& session, const std::string& name) const {
  return only(select(session, {"WHERE name = :name", {name}, {}}));
}

void JobStore::insert(Session& session, const Job& job) const {
  write_row(session,
            "INSERT INTO jobs (name, schedule, enabled, source_id, databases, compression, "
            "pg_compression, encryption_profile_id, naming_template_id, schedule_preset_id, "
            "notification_events, skip_verification, backup_mode, "
            "full_every_days, verify_by_hash, created_at, updated_at, id) VALUES "
            "(:name, :schedule, :enabled, NULLIF(:source, ''), :databases, :compression, "
            ":pg_compression, NULLIF(:profile, ''), NULLIF(:naming, ''), NULLIF(:preset, ''), :events, "
            ":skip_verification, :backup_mode, :full_every_days, :verify_by_hash, "
            ":created_at, :updated_at, :id)",
            job);
  write_children(session, job);
}

void JobStore::update(Session& session, const Job& job) const {
  write_row(session,
            "UPDATE jobs SET name = :name, schedule = :schedule, enabled = :enabled, "
            "source_id = NULLIF(:source, ''), databases = :databases, compression = :compression, "
            "pg_compression = :pg_compression, encryption_profile_id = NULLIF(:profile, ''), "
            "naming_template_id = NULLIF(:naming, ''), schedule_preset_id = NULLIF(:preset, ''), "
            "notification_events = :events, "
            "skip_verification = :skip_verification, backup_mode = :backup_mode, "
            "full_every_days = :full_every_days, verify_by_hash = :verify_by_hash, "
            "created_at = :created_at, "
            "updated_at = :updated_at WHERE id = :id",
            job);
  write_children(session, job);
}

bool JobStore::remove(Session& session, const std::string& id) const {
  return Query{session, "DELETE FROM jobs WHERE id = :id"}.bind(id).run() > 0;
}

std::vector<std::string> JobStore::names_using_adapter(Session& session,
                                                       const std::string& config_id) const {
  return names(session,
               "SELECT name FROM jobs WHERE source_id = :a "
               "OR id IN (SELECT job_id FROM job_sources WHERE config_id = :b) "
               "OR id IN (SELECT job_id FROM job_destinations WHERE config_id = :c) "
               "OR id IN (SELECT job_id FROM job_notifications WHERE config_id = :d) ORDER BY name",
               {config_id, config_id, config_id, config_id});
}

std::vector<std::string> JobStore::names_using_profile(Session& session,
                                                       const std::string& profile_id) const {
  return names(session, "SELECT name FROM jobs WHERE encryption_profile_id = :p ORDER BY name",
               {profile_id});
}

}  // namespace dbackup::host
