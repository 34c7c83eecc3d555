#include "base/error.hpp"
#include "model/backup_name.hpp"
#include "worker/operations/operations.hpp"
#include "worker/operations/stored_archive.hpp"

namespace dbackup::host {

StoredArchive::StoredArchive(const protocol::StoredFile& file, StorageProxy& storage,
                             const StoredObject& object, const StoredFormat& format) {
  const FetchRange read_stored = ranges_of(storage, object);
  if (!format.sealed) {
    reader_.emplace(object.size, read_stored, file.index_sha256);
    return;
  }
  sealed_.emplace(format.identities, object.size, read_stored);
  reader_.emplace(
      sealed_->plain_size(),
      [this](uint64_t offset, uint64_t length, ByteSink& sink) {
        sealed_->read(offset, length, sink);
      },
      file.index_sha256);
}

Json archive_contents(const protocol::FetchRequest& request, OperationContext& context) {
  if (!is_archive_path(request.file.path)) {
    throw Error(ErrorCode::InvalidArgument, "\"" + request.file.path + "\" is no archive");
  }
  StorageProxy storage{request.file.storage, context.events, context.cancel};
  const StoredObject object = require_object(storage, request.file.path);
  const StoredArchive archive{request.file, storage, object, stored_format(request.file, storage)};
  Json names = Json::array();
  for (const ArchiveEntry& entry : archive.reader().entries()) names.push_back(entry.name);
  return {{"databases", std::move(names)}};
}

}  // namespace dbackup::host
