#include "worker/operations/operations.hpp"
#include "worker/plugin/source_proxy.hpp"

namespace dbackup::host {

Json prepare_restore(const protocol::PrepareRestoreRequest& request, OperationContext& context) {
  SourceProxy source{request.adapter, context.events, context.cancel};
  source.prepare_restore(request.databases, request.privileged);
  return Json::object();
}

}  // namespace dbackup::host
