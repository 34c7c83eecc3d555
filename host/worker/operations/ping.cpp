#include "worker/operations/adapter_kind.hpp"
#include "worker/operations/operations.hpp"
#include "worker/plugin/notifier_proxy.hpp"
#include "worker/plugin/source_proxy.hpp"
#include "worker/plugin/storage_proxy.hpp"

namespace dbackup::host {

/// Sources have no lighter question than their test; notifiers none that delivers nothing, so that
/// opening one is all that is tried.
Json ping_adapter(const protocol::AdapterRequest& request, OperationContext& context) {
  switch (adapter_kind(request.adapter, context.events)) {
    case DBACKUP_KIND_SOURCE:
      SourceProxy{request.adapter, context.events, context.cancel}.test();
      break;
    case DBACKUP_KIND_STORAGE:
      StorageProxy{request.adapter, context.events, context.cancel}.ping();
      break;
    default:
      NotifierProxy{request.adapter, context.events, context.cancel};
  }
  return Json::object();
}

}  // namespace dbackup::host
