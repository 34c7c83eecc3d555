#include "model/backup_name.hpp"
#include "worker/operations/object_json.hpp"
#include "worker/operations/operations.hpp"
#include "worker/operations/stored_file.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kOwnFolder = ".dbackup/";  // probes and temporaries, never backups

}  // namespace

Json list_files(const protocol::ListRequest& request, OperationContext& context) {
  StorageProxy storage{request.adapter, context.events, context.cancel};
  // An instance serves one call at a time, and the sidecars are read while the list comes in: that
  // way nothing of a long list is kept.
  std::optional<StorageProxy> reader;
  if (request.sidecars) reader.emplace(request.adapter, context.events, context.cancel);

  storage.list(request.prefix, [&](const StoredObject& object) {
    if (object.path.starts_with(kOwnFolder)) return;
    if (request.sidecars && is_sidecar_path(object.path)) return;
    Json item = object_json(object);
    if (reader && !object.is_unreadable_folder) {
      try {
        if (auto text = read_sidecar(*reader, object.path)) item["sidecar"] = std::move(*text);
      } catch (const Error& error) {
        context.cancel.throw_if_cancelled();
        item["sidecarUnreadable"] = true;  // not the same as none
        context.warning("the metadata of \"" + object.path + "\" cannot be read: " + error.what(),
                        JournalType::Storage, error.detail());
      }
    }
    context.item(std::move(item));
  });
  return Json::object();
}

}  // namespace dbackup::host
