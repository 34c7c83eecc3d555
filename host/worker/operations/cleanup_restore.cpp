#include "worker/operations/operations.hpp"
#include "worker/plugin/source_proxy.hpp"

namespace dbackup::host {

Json cleanup_restore(const protocol::CleanupRestoreRequest& request, OperationContext& context) {
  SourceProxy source{request.adapter, context.events, context.cancel};
  source.cleanup_restore(request.database, request.token, request.privileged);
  return Json::object();
}

}  // namespace dbackup::host
