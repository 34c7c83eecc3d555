#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/catalog.hpp"
#include "model/nouns.hpp"
#include "model/sidecar.hpp"

namespace dbackup::host {

class ControlPlane;

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
  explicit StorageService(ControlPlane& control) : control_{control} {}

  enum class TypeFilter { All, Backup, System };
  struct ListOptions {
    TypeFilter filter = TypeFilter::All;
    bool refresh = false;
  };
  /// Newest first. Throws Error{NotFound} for an unknown adapter, {InvalidArgument} for one that is
  /// no storage.
  std::vector<StoredFileView> list(const std::string& destination_id, const ListOptions& options);
  /// Throws Error{NotFound} when there is none.
  StoredFileView latest(const std::string& destination_id, const std::string& job_id,
                        const std::string& job_name);

  /// Reads the whole backup; blocks.
  Catalog::Verification verify(const std::string& destination_id, const std::string& path);
  /// The backup and its side files. Throws Error{FailedPrecondition} for a locked one.
  void remove(const Principal& who, const std::string& destination_id, const std::string& path);

 private:
  ControlPlane& control_;
};

StoredFileView file_view(StoredBackup backup);
/// Throws Error{NotFound}, {InvalidArgument} when it is no storage.
AdapterConfig require_storage(ControlPlane& control, const std::string& id);

}  // namespace dbackup::host
