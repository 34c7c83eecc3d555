#include "services/storage_service.hpp"

#include "base/logging.hpp"
#include "control/control_plane.hpp"
#include "control/reading_keys.hpp"
#include "model/backup_name.hpp"
#include "services/adapter_failure.hpp"
#include "services/adapter_service.hpp"
#include "services/backup_path_rules.hpp"
#include "services/rights.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kSystemBackup = "SYSTEM";

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
    for (StoredBackup& backup : control_.catalog().list(destination_id, options.refresh)) {
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

Catalog::Verification StorageService::verify(const std::string& destination_id,
                                             const std::string& path) {
  check_backup_path(path);
  require_storage(control_, destination_id);
  return control_.catalog().verify(destination_id, path, {.trigger = "manual"});
}

void StorageService::remove(const Principal& who, const std::string& destination_id,
                            const std::string& path) {
  check_backup_path(path);
  require_storage(control_, destination_id);
  as_adapter_failure([&] {
    const StoredFileView file = file_view(control_.catalog().find(destination_id, path));
    if (file.is_locked) {
      throw Error(ErrorCode::FailedPrecondition, "the backup is locked: \"" + path + "\"");
    }
    control_.catalog().remove(destination_id, path);
  });
  log_info("backup \"" + path + "\" of storage " + destination_id + " was deleted by " + who.name);
}

}  // namespace dbackup::host
