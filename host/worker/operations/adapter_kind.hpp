#pragma once

#include <cstdint>

#include "protocol/message.hpp"
#include "worker/plugin/plugin_library.hpp"

namespace dbackup::host {

/// DBACKUP_KIND_* of the adapter that `ref` names; loads its plugin.
inline uint32_t adapter_kind(const protocol::AdapterRef& ref, Journal& journal) {
  return PluginLibrary::load(ref.plugin_path, journal).adapter(ref.adapter_id).kind;
}

}  // namespace dbackup::host
