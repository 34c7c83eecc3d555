#include <chrono>

#include "worker/operations/adapter_kind.hpp"
#include "worker/operations/operations.hpp"
#include "worker/plugin/notifier_proxy.hpp"
#include "worker/plugin/source_proxy.hpp"
#include "worker/plugin/storage_proxy.hpp"

namespace dbackup::host {

/// Sources have no lighter question than their test; notifiers none that delivers nothing, so that
/// opening one is all that is tried.
Json ping_adapter(const protocol::AdapterRequest& request, OperationContext& context) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point began = Clock::now();
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
  // The start of this process would be the larger part of what the host could measure.
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
  return {{"latencyMs", took.count()}};
}

}  // namespace dbackup::host
