#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/catalog.hpp"
#include "model/nouns.hpp"
#include "model/sidecar.hpp"

namespace dbackup::host {

class AuditLog;
class ControlPlane;
struct BulkOutcome;

/// A stored backup as listings show it.
struct StoredFileView {
  StoredBackup backup;
  Sidecar sidecar;  ///< empty when there is none
  bool has_sidecar = false;
  bool is_sealed = false;
  std::string job_name;     ///< of the sidecar, else guessed from the folder
  std::string compression;  ///< "GZIP", … or ""
  bool is_locked =
      false;  ///< by the catalog or the sidecar, or because the sidecar was tampered with
};

/// What lies at the destinations. Listings come from the catalog. [any-thread]
class StorageService {
 public:
  StorageService(ControlPlane& control, AuditLog& audit) : control_{control}, audit_{audit} {}

  enum class TypeFilter { All, Backup, System };
  struct ListOptions {
    TypeFilter filter = TypeFilter::All;
    bool refresh = false;
    BackupFilter which = {};  ///< its limits cannot be combined with `filter`, which is applied after it
  };
  /// Newest first. Throws Error{NotFound} for an unknown adapter, {InvalidArgument} for one that is
  /// no storage.
  std::vector<StoredFileView> list(const std::string& destination_id, const ListOptions& options);
  /// Throws Error{NotFound} when there is none.
  StoredFileView latest(const std::string& destination_id, const std::string& job_id,
                        const std::string& job_name);

  /// Reads the whole backup; blocks.
  Catalog::Verification verify(const Principal& who, const std::string& destination_id,
                               const std::string& path);
  /// Starts the same as an execution of type Verification; its id. The backup must exist.
  std::string start_verification(const Principal& who, const std::string& destination_id,
                                 const std::string& path);
  /// The backup and its side files. Throws Error{FailedPrecondition} for a locked one. `force` removes
  /// one that counts as locked only because its side file was altered.
  void remove(const Principal& who, const std::string& destination_id, const std::string& path,
              bool force);
  void set_locked(const Principal& who, const std::string& destination_id, const std::string& path,
                  bool locked);
  enum class BulkAction { Delete, Lock, Unlock };
  BulkOutcome bulk(const Principal& who, const std::string& destination_id, BulkAction action,
                   const std::vector<std::string>& paths);

  /// What a backup holds: as its side file says; of an archive without one, what its own index says,
  /// read with the keys of `profile_override` first. Blocks.
  struct Contents {
    std::vector<std::string> databases;
    std::string source_type;
  };
  Contents analyze(const std::string& destination_id, const std::string& path,
                   const std::string& profile_override);
  /// Throws Error{NotFound} when there is no side file, {InvalidArgument} when the backup has no index
  /// of files.
  void require_file_index(const std::string& destination_id, const std::string& path);

  /// Whether something lies below `folder`; nullopt: the storage cannot be asked. Blocks.
  std::optional<int64_t> count_below(const std::string& destination_id, const std::string& folder);

  /// Alert settings of one storage, as stored; the defaults where nothing is.
  Json alerts(const std::string& destination_id);
  Json set_alerts(const Principal& who, const std::string& destination_id, const Json& fields);

 private:
  void change_lock(const std::string& destination_id, const std::string& path, bool locked);
  void erase(const std::string& destination_id, const std::string& path, bool force);

  ControlPlane& control_;
  AuditLog& audit_;
};

StoredFileView file_view(StoredBackup backup);
/// Throws Error{NotFound}, {InvalidArgument} when it is no storage.
AdapterConfig require_storage(ControlPlane& control, const std::string& id);

}  // namespace dbackup::host
