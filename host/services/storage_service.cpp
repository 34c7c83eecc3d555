#include "services/storage_service.hpp"

#include <chrono>

#include "base/id.hpp"
#include "base/logging.hpp"
#include "control/control_plane.hpp"
#include "control/reading_keys.hpp"
#include "model/backup_name.hpp"
#include "protocol/message_json.hpp"
#include "services/adapter_failure.hpp"
#include "services/adapter_service.hpp"
#include "services/audit_log.hpp"
#include "services/backup_path_rules.hpp"
#include "services/bulk.hpp"
#include "services/execution_service.hpp"
#include "services/rights.hpp"
#include "store/execution_store.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kSystemBackup = "SYSTEM";
constexpr std::chrono::seconds kCountDeadline{30};

/// The folder a backup lies in is named after its job.
std::string job_of_folder(const std::string& path) {
  const size_t slash = path.find('/');
  if (slash == std::string::npos) return "";
  return decode_path_component(path.substr(0, slash)).value_or(path.substr(0, slash));
}

bool fits(const StoredFileView& file, StorageService::TypeFilter filter) {
  if (filter == StorageService::TypeFilter::All) return true;
  const bool is_system = file.sidecar.source_type == kSystemBackup;
  return is_system == (filter == StorageService::TypeFilter::System);
}

}  // namespace

StoredFileView file_view(StoredBackup backup) {
  StoredFileView view;
  view.has_sidecar = backup.sidecar.is_object() && !backup.sidecar.empty();
  if (view.has_sidecar) {
    try {
      view.sidecar = parse_sidecar(dump_json(backup.sidecar));
    } catch (const Error&) {
      view.has_sidecar = false;
    }
  }
  view.is_sealed = is_sealed(backup);
  view.job_name =
      view.sidecar.job_name.empty() ? job_of_folder(backup.path) : view.sidecar.job_name;
  Compression compression = view.sidecar.compression;
  if (!view.has_sidecar) {
    if (const auto name = parse_backup_name(base_name(backup.path)))
      compression = name->compression;
  }
  if (compression != Compression::None) view.compression = to_string(compression);
  view.is_locked = backup.locked || view.sidecar.locked || backup.signature == "tampered";
  view.backup = std::move(backup);
  return view;
}

AdapterConfig require_storage(ControlPlane& control, const std::string& id) {
  AdapterConfig row;
  control.context().database.read([&](Session& session) { row = require_adapter(session, id); });
  if (row.type != kStorageType)
    throw Error(ErrorCode::InvalidArgument, "the adapter is not a storage");
  return row;
}

std::vector<StoredFileView> StorageService::list(const std::string& destination_id,
                                                 const ListOptions& options) {
  require_storage(control_, destination_id);
  std::vector<StoredFileView> out;
  as_adapter_failure([&] {
    for (StoredBackup& backup : control_.catalog().list(destination_id, options.refresh, options.which)) {
      StoredFileView view = file_view(std::move(backup));
      if (fits(view, options.filter)) out.push_back(std::move(view));
    }
  });
  return out;
}

StoredFileView StorageService::latest(const std::string& destination_id, const std::string& job_id,
                                      const std::string& job_name) {
  require_storage(control_, destination_id);
  std::optional<StoredBackup> newest;
  as_adapter_failure([&] { newest = control_.catalog().latest(destination_id, job_id, job_name); });
  if (!newest) throw Error(ErrorCode::NotFound, "no backup found");
  return file_view(std::move(*newest));
}

Catalog::Verification StorageService::verify(const Principal& who,
                                             const std::string& destination_id,
                                             const std::string& path) {
  check_backup_path(path);
  require_storage(control_, destination_id);
  const auto outcome = control_.catalog().verify(destination_id, path, {.trigger = "manual"});
  audit_.write(who, AuditAction::Execute, AuditResource::Destination, destination_id,
               {{"path", path}, {"action", "verify"}, {"status", outcome.status}});
  return outcome;
}

std::string StorageService::start_verification(const Principal& who,
                                               const std::string& destination_id,
                                               const std::string& path) {
  check_backup_path(path);
  require_storage(control_, destination_id);
  as_adapter_failure([&] { control_.catalog().find(destination_id, path); });
  Execution execution{.id = new_uuid(), .type = "Verification", .path = path};
  execution.started_at = control_.context().clock.now_ms();
  execution.trigger_type = trigger_type(who);
  execution.trigger_label = who.name;
  execution.options = to_json(VerificationOptions{.destination_id = destination_id, .path = path});
  control_.context().database.write([&](Session& session) {
    ExecutionStore{}.insert(session, execution);
    audit_.write(session, who, AuditAction::Execute, AuditResource::Destination, destination_id,
                 {{"path", path}, {"action", "verify"}, {"executionId", execution.id}});
  });
  control_.context().news->tell(execution.id, RunNews::What::Status);
  control_.queue().kick();
  return execution.id;
}

void StorageService::erase(const std::string& destination_id, const std::string& path, bool force) {
  check_backup_path(path);
  as_adapter_failure([&] {
    const StoredBackup backup = control_.catalog().find(destination_id, path);
    const bool is_tampered = backup.signature == "tampered";
    // An altered side file may have wished a lock away; who removes such a backup must say so.
    if (file_view(backup).is_locked && !(is_tampered && force)) {
      throw Error(
          ErrorCode::FailedPrecondition,
          "the backup is locked: \"" + path + "\"" +
              (is_tampered ? "; its side file was altered, \"force\" deletes it all the same"
                           : ""));
    }
    control_.catalog().remove(destination_id, path);
  });
}

void StorageService::remove(const Principal& who, const std::string& destination_id,
                            const std::string& path, bool force) {
  check_backup_path(path);
  require_storage(control_, destination_id);
  erase(destination_id, path, force);
  audit_.write(who, AuditAction::Delete, AuditResource::Destination, destination_id,
               {{"path", path}, {"forced", force}});
}

void StorageService::change_lock(const std::string& destination_id, const std::string& path,
                                 bool locked) {
  check_backup_path(path);
  as_adapter_failure([&] { control_.catalog().set_locked(destination_id, path, locked); });
}

void StorageService::set_locked(const Principal& who, const std::string& destination_id,
                                const std::string& path, bool locked) {
  check_backup_path(path);
  require_storage(control_, destination_id);
  change_lock(destination_id, path, locked);
  audit_.write(who, AuditAction::Update, AuditResource::Destination, destination_id,
               {{"path", path}, {"locked", locked}});
}

BulkOutcome StorageService::bulk(const Principal& who, const std::string& destination_id,
                                 BulkAction action, const std::vector<std::string>& paths) {
  require_storage(control_, destination_id);
  const BulkOutcome outcome = run_bulk(paths, [&](const std::string& path) {
    if (action == BulkAction::Delete) return erase(destination_id, path, /*force=*/false);
    change_lock(destination_id, path, action == BulkAction::Lock);
  });
  const bool is_delete = action == BulkAction::Delete;
  audit_.write(who, is_delete ? AuditAction::Delete : AuditAction::Update,
               AuditResource::Destination, destination_id,
               bulk_audit(is_delete                    ? "delete"
                          : action == BulkAction::Lock ? "lock"
                                                       : "unlock",
                          outcome));
  return outcome;
}

StorageService::Contents StorageService::analyze(const std::string& destination_id,
                                                 const std::string& path,
                                                 const std::string& profile_override) {
  check_backup_path(path);
  require_storage(control_, destination_id);
  StoredBackup backup;
  as_adapter_failure([&] { backup = control_.catalog().find(destination_id, path); });
  const StoredFileView file = file_view(backup);
  Contents out{.databases = file.sidecar.database_names, .source_type = file.sidecar.source_type};
  if (!out.databases.empty() || !is_archive_path(path)) return out;
  std::vector<std::string> identities;
  as_key_failure(profile_override, [&] {
    identities = identities_for(control_.context(), backup, profile_override);
  });
  const protocol::FetchRequest request{
      .file = stored_file(backup, control_.resolver().resolve(destination_id),
                          std::move(identities))};
  WorkerCall call;
  call.deadline = kCountDeadline;
  as_adapter_failure([&] {
    const Json answer =
        control_.workers().run(protocol::Operation::ArchiveContents, Json(request), call);
    out.databases = get_strings(answer, "databases").value_or(std::vector<std::string>{});
  });
  return out;
}

void StorageService::require_file_index(const std::string& destination_id,
                                        const std::string& path) {
  check_backup_path(path);
  require_storage(control_, destination_id);
  StoredFileView file;
  as_adapter_failure([&] { file = file_view(control_.catalog().find(destination_id, path)); });
  if (!file.has_sidecar) throw Error(ErrorCode::NotFound, "the backup has no side file");
  throw Error(ErrorCode::InvalidArgument,
              "the backup has no index of files: it holds databases, not folders");
}

std::optional<int64_t> StorageService::count_below(const std::string& destination_id,
                                                   const std::string& folder) {
  const AdapterConfig row = require_storage(control_, destination_id);
  try {
    const protocol::ListRequest request{.adapter = control_.resolver().resolve(row),
                                        .prefix = folder};
    const std::string below = folder.empty() ? "" : folder + "/";
    int64_t count = 0;
    bool is_complete = true;
    WorkerCall call;
    call.deadline = kCountDeadline;
    call.on_event = [&](const protocol::Event& event) {
      if (event.kind != protocol::EventKind::Item) return;
      if (get_bool(event.data, "unreadable").value_or(false)) is_complete = false;
      if (require_string(event.data, "path").starts_with(below)) ++count;
    };
    control_.workers().run(protocol::Operation::List, Json(request), call);
    if (!is_complete) return std::nullopt;
    return count;
  } catch (const Error& error) {
    if (error.reason() == "busy") throw;
    log_warning("storage " + destination_id + " cannot be asked what lies below \"" + folder +
                "\": " + error.what());
    return std::nullopt;
  }
}

namespace {

/// The fields of alert settings, with their defaults.
Json default_alerts() {
  return {{"usageSpikeEnabled", false},    {"usageSpikeThresholdPercent", 50},
          {"storageLimitEnabled", false},  {"storageLimitBytes", int64_t{10} << 30},
          {"missingBackupEnabled", false}, {"missingBackupHours", 48}};
}

std::string alerts_key(const std::string& destination_id) {
  return "storage.alerts." + destination_id;
}

Json read_alerts(Session& session, const std::string& destination_id) {
  Json out = default_alerts();
  const auto stored = SettingStore{}.get(session, alerts_key(destination_id));
  if (stored) out.update(parse_json(*stored, "stored alert settings"));
  return out;
}

}  // namespace

Json StorageService::alerts(const std::string& destination_id) {
  require_storage(control_, destination_id);
  Json out;
  control_.context().database.read(
      [&](Session& session) { out = read_alerts(session, destination_id); });
  return out;
}

Json StorageService::set_alerts(const Principal& who, const std::string& destination_id,
                                const Json& fields) {
  require_storage(control_, destination_id);
  Json out;
  control_.context().database.write([&](Session& session) {
    out = read_alerts(session, destination_id);
    for (const auto& [name, value] : fields.items()) {
      if (out.contains(name)) out[name] = value;  // types and ranges were checked by the schema
    }
    SettingStore{}.set(session, alerts_key(destination_id), dump_json(out));
    audit_.write(session, who, AuditAction::Update, AuditResource::Destination, destination_id,
                 {{"alerts", out}});
  });
  return out;
}

}  // namespace dbackup::host
