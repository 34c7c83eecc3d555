#pragma once

#include <optional>

#include "protocol/message.hpp"
#include "worker/format/archive_reader.hpp"
#include "worker/operations/stored_file.hpp"

namespace dbackup::host {

/// An archive where it is stored, unsealed as it is read. `storage` and
/// `object` must outlive it.
class StoredArchive {
 public:
  /// Throws Error{FailedPrecondition, "encryption_key_required"} when it is sealed and no key opens
  /// it, {DataLoss} when it is no whole archive or not the one that `file` expects.
  StoredArchive(const protocol::StoredFile& file, StorageProxy& storage, const StoredObject& object,
                const StoredFormat& format);

  const ArchiveReader& reader() const noexcept { return *reader_; }

 private:
  std::optional<SealedFile> sealed_;
  std::optional<ArchiveReader> reader_;
};

}  // namespace dbackup::host
