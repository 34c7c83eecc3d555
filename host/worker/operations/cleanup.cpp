#include "worker/operations/operations.hpp"
#include "worker/plugin/storage_proxy.hpp"

namespace dbackup::host {

Json cleanup(const protocol::CleanupRequest& request, OperationContext& context) {
  StorageProxy storage{request.adapter, context.events, context.cancel};
  return {{"removed", storage.cleanup(request.token)}};
}

}  // namespace dbackup::host
