#include "worker/operations/operations.hpp"
#include "worker/plugin/notifier_proxy.hpp"

namespace dbackup::host {

Json notify(const protocol::NotifyRequest& request, OperationContext& context) {
  return NotifierProxy{request.adapter, context.events, context.cancel}.send(request.event);
}

}  // namespace dbackup::host
