#include "worker/operations/adapter_kind.hpp"
#include "worker/operations/operations.hpp"
#include "worker/plugin/notifier_proxy.hpp"
#include "worker/plugin/source_proxy.hpp"
#include "worker/plugin/storage_proxy.hpp"

namespace dbackup::host {

Json test_adapter(const protocol::AdapterRequest& request, OperationContext& context) {
  switch (adapter_kind(request.adapter, context.events)) {
    case DBACKUP_KIND_SOURCE:
      return SourceProxy{request.adapter, context.events, context.cancel}.test();
    case DBACKUP_KIND_STORAGE:
      return StorageProxy{request.adapter, context.events, context.cancel}.test();
    default:
      return NotifierProxy{request.adapter, context.events, context.cancel}.test();
  }
}

}  // namespace dbackup::host
