#include "model/backup_name.hpp"
#include "worker/operations/operations.hpp"
#include "worker/operations/stored_file.hpp"

namespace dbackup::host {

/// Where a destination can replace a file in one step, a kill at any instant leaves the old sidecar
/// or the new one. Elsewhere the old one goes first and is put back when the new one cannot be
/// written; a kill in between leaves none, and what matters of it is in the catalog.
Json write_sidecar(const protocol::WriteSidecarRequest& request, OperationContext& context) {
  StorageProxy storage{request.adapter, context.events, context.cancel};
  const std::string path = sidecar_path(request.path);
  const std::optional<std::string> old = read_sidecar(storage, request.path);
  if (old == request.content) return Json::object();
  if (storage.can_replace()) {
    storage.put_text(path, request.token, request.content,
                     old ? StorageProxy::Existing::Replace : StorageProxy::Existing::Refuse);
    return Json::object();
  }
  const auto put = [&](const std::string& content) {
    storage.put_text(path, request.token, content);
  };
  if (old) storage.remove(path);
  try {
    put(request.content);
  } catch (...) {
    const Cause cause = current_cause();
    if (old) {
      storage.ignore_cancellation();
      try {
        put(*old);
      } catch (const Error& error) {
        context.warning("the metadata of \"" + request.path + "\" is lost: " + error.what(),
                        JournalType::Storage, error.detail());
      }
    }
    throw_cause(cause);
  }
  return Json::object();
}

}  // namespace dbackup::host
