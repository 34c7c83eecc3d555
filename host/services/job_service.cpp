#include "services/job_service.hpp"

#include <algorithm>

#include "base/id.hpp"
#include "control/control_plane.hpp"
#include "services/job_fields.hpp"
#include "store/adapter_store.hpp"
#include "store/execution_store.hpp"
#include "store/job_store.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

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

std::vector<std::string> adapter_ids(const Job& job) {
  std::vector<std::string> ids = job.notification_ids;
  if (!job.source_id.empty()) ids.push_back(job.source_id);
  for (const auto& destination : job.destinations) ids.push_back(destination.config_id);
  for (const Json& source : job.directory_sources) ids.push_back(source.value("configId", ""));
  return ids;
}

}  // namespace

JobView JobService::view(Session& session, Job job,
                         std::map<std::string, AdapterView>& known) const {
  JobView out;
  for (const std::string& id : adapter_ids(job)) {
    if (!known.contains(id)) {
      const auto row = AdapterStore{}.find(session, id);
      if (!row) continue;
      known.emplace(id, adapters_.view(*row));
    }
    out.adapters.emplace(id, known.at(id));
  }
  if (!job.encryption_profile_id.empty()) {
    if (const auto profile = EncryptionProfileStore{}.find(session, job.encryption_profile_id)) {
      out.profile_name = profile->name;
    }
  }
  if (const auto newest = ExecutionStore{}.newest_of_job(session, job.id)) {
    out.last_run_at = newest->started_at;
    out.last_status = newest->status;
  }
  out.job = std::move(job);
  return out;
}

std::vector<JobView> JobService::list() {
  std::vector<JobView> out;
  std::map<std::string, AdapterView> known;
  control_.plugins().wait_ready();  // before a connection is taken: views ask for descriptors
  control_.context().database.read([&](Session& session) {
    for (Job& job : JobStore{}.list(session)) out.push_back(view(session, std::move(job), known));
  });
  return out;
}

JobView JobService::get(const std::string& id) {
  JobView out;
  std::map<std::string, AdapterView> known;
  control_.plugins().wait_ready();
  control_.context().database.read(
      [&](Session& session) { out = view(session, found(session, id), known); });
  return out;
}

JobView JobService::create(const Json& fields) {
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
  });
  return get(job.id);
}

JobView JobService::update(const std::string& id, const Json& fields) {
  const TimeMs now = control_.context().clock.now_ms();
  control_.plugins().wait_ready();
  control_.context().database.write([&](Session& session) {
    Job job = found(session, id);
    apply_job_fields(job, fields, now);
    job.updated_at = std::max(now, job.updated_at);
    refuse_taken_name(session, job);
    check_job_references(session, control_.plugins(), job);
    JobStore{}.update(session, job);
  });
  return get(id);
}

void JobService::remove(const std::string& id) {
  bool removed = false;
  control_.context().database.write(
      [&](Session& session) { removed = JobStore{}.remove(session, id); });
  if (!removed) throw Error(ErrorCode::NotFound, "job not found");
}

}  // namespace dbackup::host
