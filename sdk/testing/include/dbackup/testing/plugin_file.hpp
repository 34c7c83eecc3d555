#pragma once

#include <dbackup/abi.h>
#include <dlfcn.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace dbackup::testing {

/// A plugin's file, loaded as a host loads it and never unloaded. Throws std::runtime_error with
/// the loader's words.
class PluginFile {
 public:
  explicit PluginFile(const std::string& path) {
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error{::dlerror()};
    entry_ = static_cast<const dbackup_plugin_entry*>(::dlsym(library, "dbackup_plugin"));
    if (entry_ == nullptr) throw std::runtime_error{path + " is no plugin: " + ::dlerror()};
    if (entry_->abi_major != DBACKUP_ABI_MAJOR) {
      throw std::runtime_error{path + " was built for ABI " + std::to_string(entry_->abi_major) +
                               ", this is " + std::to_string(DBACKUP_ABI_MAJOR)};
    }
  }

  const dbackup_plugin_entry& entry() const noexcept { return *entry_; }
  /// The adapter called `id`; the only one when `id` is empty.
  const dbackup_adapter& adapter(std::string_view id = {}) const {
    for (uint32_t i = 0; i < entry_->adapter_count; ++i) {
      if (id.empty() || id == entry_->adapters[i]->id) return *entry_->adapters[i];
    }
    throw std::runtime_error{"the plugin has no adapter \"" + std::string{id} + "\""};
  }

 private:
  const dbackup_plugin_entry* entry_ = nullptr;
};

}  // namespace dbackup::testing
