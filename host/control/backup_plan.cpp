#include "control/backup_plan.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "control/adapter_resolver.hpp"
#include "control/execution_recorder.hpp"
#include "control/job_templates.hpp"
#include "control/naming.hpp"
#include "control/plugin_registry.hpp"
#include "control/reconcile.hpp"
#include "control/run_options.hpp"
#include "control/sidecar_keys.hpp"
#include "control/worker_client.hpp"
#include "model/backup_name.hpp"
#include "model/sidecar.hpp"
#include "protocol/message_json.hpp"
#include "store/adapter_store.hpp"
#include "store/job_store.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

constexpr std::chrono::minutes kListDatabasesLimit{5};
constexpr const char* kSealAlgorithm = "age-x25519";

[[noreturn]] void not_available(const std::string& what) {
  throw Error(ErrorCode::Unimplemented, what + " is not available yet");
}

AdapterConfig require_adapter(Session& session, const std::string& id, const char* role) {
  auto found = AdapterStore{}.find(session, id);
  if (!found) throw Error(ErrorCode::FailedPrecondition, std::string("the job's ") + role + " does not exist");
  return std::move(*found);
}

void check_available(const Job& job) {
  if (!job.directory_sources.empty()) not_available("a job with directory sources");
  if (job.source_id.empty()) throw Error(ErrorCode::FailedPrecondition, "the job has no source");
  if (job.destinations.empty()) throw Error(ErrorCode::FailedPrecondition, "the job has no destination");
  if (job.backup_mode == "INCREMENTAL") not_available("an incremental backup");
  if (job.destinations.size() > 1) not_available("more than one destination in a job");
}

/// The databases that the job backs up; without a choice in the job, all of the server. None for engines
/// that know no databases or dump all of them as one.
std::vector<std::string> choose_databases(const RunParts& parts, const Job& job,
                                          const RegisteredAdapter& adapter,
                                          const protocol::AdapterRef& source, std::stop_token stop) {
  if (adapter.descriptor.can("wholeInstance")) return {};
  if (!job.databases.empty()) return job.databases;
  if (!adapter.descriptor.can("listDatabases")) return {};
  WorkerCall call;
  call.stop = std::move(stop);
  call.deadline = kListDatabasesLimit;
  call.lane = WorkerLane::Run;
  const auto items = parts.workers.items(protocol::Operation::ListDatabases,
                                         Json(protocol::AdapterRequest{source}), call);
  if (items.empty()) throw Error(ErrorCode::FailedPrecondition, "the source has no database");
  std::vector<std::string> names;
  for (const Json& item : items) names.push_back(require_string(item, "name"));
  return names;
}

std::vector<std::string> recipients_of(Session& session, const std::string& profile_id) {
  const auto profile = EncryptionProfileStore{}.find(session, profile_id);
  if (!profile) throw Error(ErrorCode::FailedPrecondition, "the job's encryption profile does not exist");
  if (profile->retired) {
    throw Error(ErrorCode::FailedPrecondition,
                "the encryption profile \"" + profile->name + "\" is retired: choose another for the job");
  }
  std::vector<std::string> out;
  for (const auto& identity : profile->identities) {
    if (identity.active && !identity.recipient.empty()) out.push_back(identity.recipient);
  }
  out.insert(out.end(), profile->extra_recipients.begin(), profile->extra_recipients.end());
  // Never unsealed by accident.
  if (out.empty()) {
    throw Error(ErrorCode::FailedPrecondition,
                "the encryption profile \"" + profile->name + "\" has no key to encrypt for");
  }
  return out;
}

/// What is read back is verified before it counts as stored; the exemption is from the setting alone.
std::string confirmation_of(const RunParts& parts, const Job& job, const ControlSettings& settings) {
  const bool is_wanted = parts.context.live.now()->flag("backup.post_upload_verify");
  return job.verify_by_hash || (is_wanted && !job.skip_verification) ? "read" : settings.backup_confirm;
}

Json sidecar_template(const RunParts& parts, const Execution& execution, const BackupPlan& plan,
                      const ControlSettings& settings) {
  Sidecar sidecar;
  sidecar.execution_id = execution.id;
  sidecar.job_id = plan.job.id;
  sidecar.job_name = plan.job.name;
  sidecar.source_name = plan.source.name;
  sidecar.source_type = plan.source.adapter_id;
  sidecar.source_id = plan.source.id;
  sidecar.database_names = plan.request.databases;
  sidecar.multi_database = !sidecar.database_names.empty();
  if (!plan.request.database.empty()) sidecar.database_names = {plan.request.database};
  sidecar.database_count = std::max<int64_t>(1, static_cast<int64_t>(sidecar.database_names.size()));
  if (!plan.job.encryption_profile_id.empty()) {
    sidecar.encryption =
        SidecarEncryption{.profile_id = plan.job.encryption_profile_id, .algorithm = kSealAlgorithm};
  }
  if (execution.labels.is_object()) {
    for (const auto& [name, value] : execution.labels.items()) {
      if (value.is_string()) sidecar.labels[name] = value.get<std::string>();
    }
  }
  sidecar.trigger = SidecarTrigger{.type = execution.trigger_type};
  if (settings.trigger_actor_in_sidecar && !execution.trigger_label.empty()) {
    sidecar.trigger->actor = execution.trigger_label;
  }
  sidecar.locked = backup_options(execution.options).lock;
  Json out = parse_json(render_sidecar(sidecar), "sidecar");
  out["macKeyId"] = parts.keys.key_id();  // the worker signs with this run's key
  return out;
}

}  // namespace

BackupPlan plan_backup(const RunParts& parts, const Execution& execution, ExecutionRecorder& recorder,
                       std::stop_token stop, std::optional<Job>& job_out, std::string& source_name) {
  const ControlSettings settings = parts.context.settings();
  BackupPlan plan;
  protocol::BackupRequest& request = plan.request;
  std::string pattern;
  std::string unapplied;  // destinations whose retention would remove backups
  parts.context.database.read([&](Session& s) {
    auto job = JobStore{}.find(s, execution.job_id);
    if (!job) throw Error(ErrorCode::FailedPrecondition, "the job was deleted before this run began");
    job_out = *job;
    plan.job = std::move(*job);
    check_available(plan.job);
    plan.source = require_adapter(s, plan.job.source_id, "source");
    source_name = plan.source.name;
    for (const auto& destination : plan.job.destinations) {
      plan.destinations.push_back(require_adapter(s, destination.config_id, "destination"));
      if (removes_backups(retention_in_force(s, destination))) {
        unapplied += (unapplied.empty() ? "\"" : ", \"") + plan.destinations.back().name + "\"";
      }
    }
    if (!plan.job.encryption_profile_id.empty()) {
      request.recipients = recipients_of(s, plan.job.encryption_profile_id);
    }
    pattern = name_pattern_of(s, plan.job, settings.name_pattern);
  });
  if (!unapplied.empty()) {
    recorder.warning("retention is not applied yet: nothing is deleted at " + unapplied);
  }

  const auto adapter = parts.plugins.find(plan.source.adapter_id, protocol::AdapterKind::Source);
  if (!adapter) {
    throw Error(ErrorCode::FailedPrecondition, "no plugin offers the source \"" + plan.source.adapter_id + "\"");
  }
  request.execution_id = execution.id;
  request.source = parts.resolver.resolve(plan.source);
  for (const auto& destination : plan.destinations) {
    request.destinations.push_back({.id = destination.id,
                                    .name = destination.name,
                                    .adapter = parts.resolver.resolve(destination),
                                    .token = new_uuid()});
    // What earlier runs left there goes first: it may hold space and the names of this run.
    if (parts.reconciler.sweep(destination.id, stop) > 0) {
      recorder.warning("what an earlier run left at \"" + destination.name + "\" could not be removed yet");
    }
  }
  auto databases = choose_databases(parts, plan.job, *adapter, request.source, stop);
  // One database is a plain file; several are an archive.
  if (databases.size() == 1) request.database = std::move(databases.front());
  if (databases.size() > 1) request.databases = std::move(databases);
  recorder.info("source \"" + plan.source.name + "\" (" + plan.source.adapter_id + ")" +
                (request.database.empty() ? "" : ", database \"" + request.database + "\"") +
                (request.databases.empty() ? "" : ", " + std::to_string(request.databases.size()) + " databases"));

  request.compression = plan.job.compression.empty() ? "NONE" : plan.job.compression;
  if (!plan.job.pg_compression.empty()) request.source_options["pgCompression"] = plan.job.pg_compression;
  const std::string stem = expand_pattern(pattern, {.job_name = plan.job.name,
                                                                  .database = request.database,
                                                                  .at = parts.context.clock.now_ms(),
                                                                  .time_zone = settings.time_zone});
  request.path_stem = job_folder(plan.job.name) + "/" + encode_path_component(stem);
  request.extension = require_string(adapter->descriptor.capabilities, "extension");
  request.memory_bytes = settings.worker_memory_bytes;
  request.confirm = confirmation_of(parts, plan.job, settings);
  request.mac_key = to_hex(parts.keys.key(execution.id).reveal());
  request.sidecar = sidecar_template(parts, execution, plan, settings);
  return plan;
}

}  // namespace dbackup::host
