#include "model/backup_name.hpp"
#include "worker/operations/operations.hpp"
#include "worker/operations/stored_file.hpp"

namespace dbackup::host {

/// Destinations never replace a file, so the old sidecar goes first; when the new one cannot be
/// written the old one is put back.
Json write_sidecar(const protocol::WriteSidecarRequest& request, OperationContext& context) {
  StorageProxy storage{request.adapter, context.events, context.cancel};
  const std::string path = sidecar_path(request.path);
  const std::optional<std::string> old = read_sidecar(storage, request.path);
  if (old == request.content) return Json::object();
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
