#include "worker/operations/object_json.hpp"
#include "worker/operations/operations.hpp"

namespace dbackup::host {

Json stat_file(const protocol::PathRequest& request, OperationContext& context) {
  StorageProxy storage{request.adapter, context.events, context.cancel};
  const auto found = storage.stat(request.path);
  if (!found) return {{"exists", false}};
  return {{"exists", true}, {"object", object_json(*found)}};
}

}  // namespace dbackup::host
