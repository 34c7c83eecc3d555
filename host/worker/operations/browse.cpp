#include "worker/operations/operations.hpp"
#include "worker/plugin/source_proxy.hpp"

namespace dbackup::host {

Json list_databases(const protocol::AdapterRequest& request, OperationContext& context) {
  SourceProxy source{request.adapter, context.events, context.cancel};
  source.list_databases([&](const Json& database) { context.item(database); });
  return Json::object();
}

}  // namespace dbackup::host
