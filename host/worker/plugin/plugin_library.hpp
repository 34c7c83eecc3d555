#pragma once

#include <dbackup/abi.h>

#include <cstdint>
#include <string>
#include <vector>

#include "worker/plugin/journal.hpp"

namespace dbackup::host {

/// A loaded plugin. Loaded once, never unloaded: it lives until the process ends by _exit(), so
/// tables, strings and objects that came from it never dangle. Immutable. [any thread]
class PluginLibrary {
 public:
  /// Loads the file (or finds it loaded) after checking it: owner and permissions, ELF header, the
  /// symbol, sizes and versions. Logs one line. Throws Error{NotFound} for a missing file,
  /// {PermissionDenied} when others could replace it, {FailedPrecondition, "bad_plugin"} for the
  /// rest; the message names the file.
  static const PluginLibrary& load(const std::string& path, Journal& journal);

  PluginLibrary(const PluginLibrary&) = delete;
  PluginLibrary& operator=(const PluginLibrary&) = delete;

  const std::string& path() const noexcept { return path_; }
  const std::string& plugin_id() const noexcept { return plugin_id_; }
  const std::string& name() const noexcept { return name_; }
  const std::string& version() const noexcept { return version_; }
  uint32_t abi_major() const noexcept { return entry_->abi_major; }
  uint32_t abi_minor() const noexcept { return entry_->abi_minor; }
  const std::vector<const dbackup_adapter*>& adapters() const noexcept { return adapters_; }

  /// `plugin "PostgreSQL" (org.dbackup.postgres 1.0.0)`: how errors name it.
  std::string label() const;
  /// Throws Error{NotFound} naming the plugin and the adapter.
  const dbackup_adapter& adapter(const std::string& adapter_id) const;
  /// The table of `extension_id`, checked to be at least `required_size` bytes and complete that
  /// far. Throws Error{FailedPrecondition} when the adapter does not offer it.
  const void* table(const dbackup_adapter& adapter, const char* extension_id,
                    uint32_t required_size) const;

 private:
  PluginLibrary(std::string path, const dbackup_plugin_entry* entry);
  [[noreturn]] void refuse(const std::string& why) const;

  std::string path_;
  const dbackup_plugin_entry* entry_;
  std::string plugin_id_, name_, version_;
  std::vector<const dbackup_adapter*> adapters_;
};

}  // namespace dbackup::host
