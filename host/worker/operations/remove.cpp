#include "worker/operations/operations.hpp"
#include "worker/plugin/storage_proxy.hpp"

namespace dbackup::host {

Json remove_files(const protocol::RemoveRequest& request, OperationContext& context) {
  StorageProxy storage{request.adapter, context.events, context.cancel};
  Json removed = Json::array();
  for (const std::string& path : request.paths) {
    context.cancel.throw_if_cancelled();
    if (storage.remove(path)) removed.push_back(path);
  }
  return {{"removed", removed}};
}

}  // namespace dbackup::host
