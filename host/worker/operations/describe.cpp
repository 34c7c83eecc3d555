#include <set>

#include "protocol/descriptor.hpp"
#include "protocol/message_json.hpp"
#include "worker/operations/operations.hpp"
#include "worker/plugin/plugin_library.hpp"

namespace dbackup::host {
namespace {

struct KindRow {
  uint32_t number;
  protocol::AdapterKind kind;
  const char* extension;
};
constexpr KindRow kKinds[] = {
    {DBACKUP_KIND_SOURCE, protocol::AdapterKind::Source, DBACKUP_EXT_SOURCE},
    {DBACKUP_KIND_STORAGE, protocol::AdapterKind::Storage, DBACKUP_EXT_STORAGE},
    {DBACKUP_KIND_NOTIFIER, protocol::AdapterKind::Notifier, DBACKUP_EXT_NOTIFIER}};

/// The adapter's descriptor, after checking that it fits the table it describes.
Json checked_descriptor(const PluginLibrary& library, const dbackup_adapter& adapter) {
  const auto refuse = [&](const std::string& why) {
    return Error(ErrorCode::FailedPrecondition,
                 "the descriptor of adapter \"" + std::string{adapter.id} + "\" of " +
                     library.label() + " cannot be used: " + why,
                 {}, "bad_plugin");
  };
  Json descriptor;
  protocol::AdapterDescriptor parsed;
  try {
    descriptor = parse_json(adapter.descriptor_json, "descriptor");
    parsed = protocol::parse_descriptor(descriptor);
  } catch (const Error& error) {
    throw refuse(error.what());
  }
  if (parsed.id != adapter.id) throw refuse("it is about \"" + parsed.id + "\"");
  for (const KindRow& row : kKinds) {
    if (row.number != adapter.kind) continue;
    if (row.kind != parsed.kind) throw refuse("its kind differs from the table's");
    library.table(adapter, row.extension, sizeof(uint32_t));
    return descriptor;
  }
  throw refuse("its kind " + std::to_string(adapter.kind) + " is not known to this host");
}

}  // namespace

Json describe(const protocol::DescribeRequest& request, OperationContext& context) {
  const PluginLibrary& library = PluginLibrary::load(request.plugin_path, context.events);
  protocol::DescribeResult result{.plugin_id = library.plugin_id(),
                                  .name = library.name(),
                                  .version = library.version(),
                                  .abi_major = library.abi_major(),
                                  .abi_minor = library.abi_minor()};
  std::set<std::string> ids;
  for (const dbackup_adapter* adapter : library.adapters()) {
    if (!ids.insert(adapter->id).second) {
      throw Error(ErrorCode::FailedPrecondition,
                  library.label() + " has two adapters with the id \"" + adapter->id + "\"", {},
                  "bad_plugin");
    }
    result.adapters.push_back(checked_descriptor(library, *adapter));
  }
  return result;
}

}  // namespace dbackup::host
