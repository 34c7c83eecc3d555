#include "services/job_service.hpp"

#include <algorithm>
#include <set>

#include "base/id.hpp"
#include "control/control_plane.hpp"
#include "control/cron.hpp"
#include "services/audit_log.hpp"
#include "services/copy_name.hpp"
#include "services/job_fields.hpp"
#include "store/adapter_store.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kFewJobs = 8;  ///< up to here single rows are looked up rather than whole tables
constexpr int64_t kMostLookUps = 500;  ///< the same for last runs: a page looks up only its own

Job found(Session& session, const std::string& id) {
  auto job = JobStore{}.find(session, id);
  if (!job) throw Error(ErrorCode::NotFound, "job not found");
  return std::move(*job);
}

void refuse_taken_name(Session& session, const Job& job) {
  const auto other = JobStore{}.find_by_name(session, job.name);
  if (other && other->id != job.id) {
    throw Error(ErrorCode::AlreadyExists, "a job named \"" + job.name + "\" already exists");
  }
}

Json details(const Job& job) { return {{"name", job.name}}; }

/// What a list of jobs names.
struct Named {
  std::set<std::string> adapters, profiles, templates;
};

Named named_by(const std::vector<Job>& jobs) {
  Named out;
  for (const Job& job : jobs) {
    out.adapters.insert(job.source_id);
    out.adapters.insert(job.notification_ids.begin(), job.notification_ids.end());
    for (const auto& row : job.destinations) out.adapters.insert(row.config_id);
    for (const auto& row : job.directory_sources) out.adapters.insert(row.config_id);
    out.profiles.insert(job.encryption_profile_id);
    out.templates.insert(job.schedule_preset_id);
    for (const auto& link : job.notification_templates) out.templates.insert(link.template_id);
  }
  for (auto* ids : {&out.adapters, &out.profiles, &out.templates}) ids->erase("");
  return out;
}

}  // namespace

const AdapterView* JobView::adapter(const std::string& id) const {
  const auto found = around->adapters.find(id);
  return found == around->adapters.end() ? nullptr : &found->second;
}

const Template* JobView::find_template(const std::string& id) const {
  const auto found = around->templates.find(id);
  return found == around->templates.end() ? nullptr : &found->second;
}

const std::string* JobView::profile_name() const {
  const auto found = around->profile_names.find(job.encryption_profile_id);
  return found == around->profile_names.end() ? nullptr : &found->second;
}

std::string JobView::schedule() const {
  const Template* preset = find_template(job.schedule_preset_id);
  return preset == nullptr ? job.schedule : preset->content.value("schedule", job.schedule);
}

std::shared_ptr<const JobSurroundings> JobService::surroundings(
    Session& session, const std::vector<Job>& jobs) const {
  auto out = std::make_shared<JobSurroundings>();
  Named named = named_by(jobs);
  if (!named.templates.empty()) {
    for (Template& row : TemplateStore{}.list_all(session)) {
      if (!named.templates.contains(row.id)) continue;
      for (const auto& channel : row.channels) named.adapters.insert(channel.config_id);
      out->templates.emplace(row.id, std::move(row));
    }
  }
  if (jobs.size() <= kFewJobs) {
    for (const std::string& id : named.adapters) {
      if (const auto row = AdapterStore{}.find(session, id))
        out->adapters.emplace(id, adapters_.view(*row));
    }
    for (const std::string& id : named.profiles) {
      if (const auto row = EncryptionProfileStore{}.find(session, id))
        out->profile_names.emplace(id, row->name);
    }
    return out;
  }
  for (const AdapterConfig& row : AdapterStore{}.list(session, "")) {
    if (named.adapters.contains(row.id)) out->adapters.emplace(row.id, adapters_.view(row));
  }
  for (const auto& row : EncryptionProfileStore{}.list(session, /*with_retired=*/true))
    out->profile_names.emplace(row.id, row.name);
  return out;
}

std::optional<TimeMs> JobService::next_run(const JobView& view) const {
  if (!view.job.enabled) return std::nullopt;
  const ControlContext& context = control_.context();
  return next_fire(view.schedule(), context.clock.now_ms(), context.settings().time_zone);
}

std::vector<JobView> JobService::list(const JobFilter& filter) {
  std::vector<JobView> out;
  control_.plugins().wait_ready();  // before a connection is taken: views ask for descriptors
  control_.context().database.read([&](Session& session) {
    std::vector<Job> jobs = JobStore{}.list(session, filter);
    const auto around = surroundings(session, jobs);
    std::map<std::string, LastRun> last;
    if (static_cast<int64_t>(jobs.size()) > kMostLookUps) {
      for (LastRun& run : ExecutionStore{}.last_runs(session)) last[run.job_id] = std::move(run);
    } else {
      for (const Job& job : jobs) {
        if (auto run = ExecutionStore{}.last_run(session, job.id)) last[job.id] = std::move(*run);
      }
    }
    for (Job& job : jobs) {
      JobView view{.job = std::move(job), .around = around};
      if (const auto run = last.find(view.job.id); run != last.end()) view.last_run = run->second;
      view.next_run_at = next_run(view);
      out.push_back(std::move(view));
    }
  });
  return out;
}

JobView JobService::get(const std::string& id) {
  JobView out;
  control_.plugins().wait_ready();
  control_.context().database.read([&](Session& session) {
    out.job = found(session, id);
    out.around = surroundings(session, {out.job});
    out.last_run = ExecutionStore{}.last_run(session, id);
  });
  out.next_run_at = next_run(out);
  return out;
}

JobView JobService::create(const Principal& who, const Json& fields) {
  for (const char* key : {"name", "schedule"}) require_string(fields, key);
  if (!fields.contains("destinations")) {
    throw Error(ErrorCode::InvalidArgument, "\"destinations\" is required");
  }
  const TimeMs now = control_.context().clock.now_ms();
  Job job{.id = new_uuid()};
  job.created_at = job.updated_at = now;
  apply_job_fields(job, fields, now);
  control_.plugins().wait_ready();
  control_.context().database.write([&](Session& session) {
    refuse_taken_name(session, job);
    check_job_references(session, control_.plugins(), job);
    JobStore{}.insert(session, job);
    audit_.write(session, who, AuditAction::Create, AuditResource::Job, job.id, details(job));
  });
  control_.scheduler().refresh();
  return get(job.id);
}

JobView JobService::update(const Principal& who, const std::string& id, const Json& fields) {
  const TimeMs now = control_.context().clock.now_ms();
  control_.plugins().wait_ready();
  control_.context().database.write([&](Session& session) {
    Job job = found(session, id);
    apply_job_fields(job, fields, now);
    job.updated_at = std::max(now, job.updated_at + 1);
    refuse_taken_name(session, job);
    check_job_references(session, control_.plugins(), job);
    JobStore{}.update(session, job);
    audit_.write(session, who, AuditAction::Update, AuditResource::Job, id, details(job));
  });
  control_.scheduler().refresh();
  return get(id);
}

void JobService::remove(const Principal& who, const std::string& id) {
  control_.context().database.write([&](Session& session) {
    const Job job = found(session, id);
    JobStore{}.remove(session, id);
    audit_.write(session, who, AuditAction::Delete, AuditResource::Job, id, details(job));
  });
  control_.scheduler().refresh();
}

JobView JobService::clone(const Principal& who, const std::string& id, const std::string& name) {
  const std::string copy_id = new_uuid();
  control_.context().database.write([&](Session& session) {
    Job job = found(session, id);
    Json entry{{"clonedFrom", id}};
    job.id = copy_id;
    const auto is_taken = [&](const std::string& wanted) {
      return JobStore{}.find_by_name(session, wanted).has_value();
    };
    job.name = name.empty() ? copy_name(job.name, is_taken) : name;
    job.enabled = false;
    job.created_at = job.updated_at = control_.context().clock.now_ms();
    refuse_taken_name(session, job);
    for (auto& row : job.destinations) {
      row.id = new_uuid();
      row.job_id = copy_id;
      row.created_at = row.updated_at = job.created_at;
    }
    // Archives of the first job refer to its folders; the copy has its own.
    for (auto& row : job.directory_sources) {
      row.id = new_uuid();
      row.created_at = row.updated_at = job.created_at;
    }
    for (auto& link : job.notification_templates) link.id = new_uuid();
    JobStore{}.insert(session, job);
    entry["name"] = job.name;
    audit_.write(session, who, AuditAction::Create, AuditResource::Job, copy_id, entry);
  });
  return get(copy_id);
}

BulkOutcome JobService::bulk(const Principal& who, const std::string& action,
                             const std::vector<std::string>& ids) {
  Database& database = control_.context().database;
  const bool is_removal = action == "delete";
  const TimeMs now = control_.context().clock.now_ms();
  const auto one = [&](const std::string& id) {
    database.write([&](Session& session) {
      Job job = found(session, id);
      if (is_removal) {
        JobStore{}.remove(session, id);
        return;
      }
      job.enabled = action == "enable";
      job.updated_at = std::max(now, job.updated_at + 1);
      JobStore{}.update(session, job);
    });
  };
  const auto name_of = [&](const std::string& id) {
    std::string name;
    database.read([&](Session& session) { name = found(session, id).name; });
    return name;
  };
  const BulkOutcome outcome = run_bulk(ids, one, name_of);
  audit_.write(who, is_removal ? AuditAction::Delete : AuditAction::Update, AuditResource::Job, "",
               bulk_audit(action, outcome));
  control_.scheduler().refresh();
  return outcome;
}

}  // namespace dbackup::host
