#include "worker/plugin/plugin_library.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/dll/shared_library.hpp>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>

#include "base/error.hpp"
#include "worker/plugin/elf_check.hpp"
#include "worker/plugin/status.hpp"

namespace dbackup::host {
namespace {

constexpr const char* kSymbol = "dbackup_plugin";

[[noreturn]] void refuse_file(const std::string& path, const std::string& why,
                              ErrorCode code = ErrorCode::FailedPrecondition) {
  throw Error(code, "cannot load plugin \"" + path + "\": " + why, {}, "bad_plugin");
}

/// Whoever can write the file or its folder could run code in the worker.
void check_owner(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) throw_errno(errno, "cannot open plugin \"" + path + "\"");
  const std::string folder = std::filesystem::path{path}.parent_path().string();
  struct stat folder_info {};
  if (::stat(folder.c_str(), &folder_info) != 0) {
    throw_errno(errno, "cannot open the folder of plugin \"" + path + "\"");
  }
  const auto check = [&](const struct stat& what, const std::string& name) {
    if ((what.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
      refuse_file(path, name + " is writable by group or others", ErrorCode::PermissionDenied);
    }
    if (what.st_uid != 0 && what.st_uid != ::geteuid()) {
      refuse_file(path, name + " belongs to another user", ErrorCode::PermissionDenied);
    }
  };
  check(info, "the file");
  check(folder_info, "its folder \"" + folder + "\"");
}

bool is_text(const char* text) { return text != nullptr && *text != '\0'; }

}  // namespace

const PluginLibrary& PluginLibrary::load(const std::string& path, Journal& journal) {
  // Both live as long as the process: a library that goes while its code runs takes the process
  // along.
  static auto& mutex = *new std::mutex;
  static auto& loaded = *new std::map<std::string, std::unique_ptr<PluginLibrary>>;
  static auto& kept = *new std::vector<boost::dll::shared_library>;

  std::error_code failure;
  const std::string real = std::filesystem::canonical(path, failure).string();
  if (failure) throw_errno(failure.value(), "cannot open plugin \"" + path + "\"");

  const std::lock_guard lock{mutex};
  if (const auto found = loaded.find(real); found != loaded.end()) return *found->second;

  check_owner(real);
  check_elf(real);
  boost::dll::shared_library library;
  try {
    library.load(std::filesystem::path{real},
                 boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  } catch (const std::exception& error) {
    const std::string text = error.what();  // copied before the library's state can go
    const auto reason = text.find(real);
    refuse_file(path, reason == std::string::npos ? text : text.substr(reason));
  }
  if (!library.has(kSymbol)) {
    kept.push_back(std::move(library));
    refuse_file(path, "it has no symbol \"" + std::string{kSymbol} + "\"");
  }
  const auto* entry = &library.get<const dbackup_plugin_entry>(kSymbol);
  kept.push_back(std::move(library));
  std::unique_ptr<PluginLibrary> plugin{new PluginLibrary{real, entry}};
  const PluginLibrary& result = *loaded.emplace(real, std::move(plugin)).first->second;
  journal.log({.message = "loaded " + result.label() + " from \"" + real + "\", built for ABI " +
                          std::to_string(entry->abi_major) + "." +
                          std::to_string(entry->abi_minor) + ", this host speaks " +
                          std::to_string(DBACKUP_ABI_MAJOR) + "." +
                          std::to_string(DBACKUP_ABI_MINOR)});
  return result;
}

PluginLibrary::PluginLibrary(std::string path, const dbackup_plugin_entry* entry)
    : path_{std::move(path)}, entry_{entry} {
  // The first three members never move; nothing behind them is read before they are understood.
  if (entry_->struct_size < offsetof(dbackup_plugin_entry, adapter_count)) {
    refuse("its entry is too short (" + std::to_string(entry_->struct_size) + " bytes)");
  }
  if (entry_->abi_major != DBACKUP_ABI_MAJOR) {
    refuse("it was built for plugin ABI " + std::to_string(entry_->abi_major) + "." +
           std::to_string(entry_->abi_minor) + ", this host needs " +
           std::to_string(DBACKUP_ABI_MAJOR) + ".x");
  }
  if (entry_->struct_size < sizeof(dbackup_plugin_entry)) {
    refuse("its entry has " + std::to_string(entry_->struct_size) + " bytes, at least " +
           std::to_string(sizeof(dbackup_plugin_entry)) + " are needed");
  }
  if (!is_text(entry_->plugin_id) || !is_text(entry_->name) || !is_text(entry_->version)) {
    refuse("its id, name or version is missing");
  }
  plugin_id_ = entry_->plugin_id;
  name_ = entry_->name;
  version_ = entry_->version;
  constexpr uint32_t kMostAdapters = 256;
  if (entry_->adapters == nullptr || entry_->adapter_count == 0 ||
      entry_->adapter_count > kMostAdapters) {
    refuse("it has no adapters, or an absurd number of them");
  }
  for (uint32_t i = 0; i < entry_->adapter_count; ++i) {
    const dbackup_adapter* adapter = entry_->adapters[i];
    if (adapter == nullptr || adapter->struct_size < sizeof(dbackup_adapter) ||
        !is_text(adapter->id) || !is_text(adapter->descriptor_json) ||
        adapter->get_extension == nullptr) {
      refuse("the table of its adapter number " + std::to_string(i + 1) + " is incomplete");
    }
    adapters_.push_back(adapter);
  }
}

void PluginLibrary::refuse(const std::string& why) const { refuse_file(path_, why); }

std::string PluginLibrary::label() const {
  return "plugin \"" + name_ + "\" (" + plugin_id_ + " " + version_ + ")";
}

const dbackup_adapter& PluginLibrary::adapter(const std::string& adapter_id) const {
  for (const dbackup_adapter* adapter : adapters_) {
    if (adapter_id == adapter->id) return *adapter;
  }
  throw Error(ErrorCode::NotFound, label() + " has no adapter \"" + adapter_id + "\"");
}

const void* PluginLibrary::table(const dbackup_adapter& adapter, const char* extension_id,
                                 uint32_t required_size) const {
  const void* table = adapter.get_extension(extension_id);
  if (table == nullptr) {
    throw Error(ErrorCode::FailedPrecondition, "adapter \"" + std::string{adapter.id} + "\" of " +
                                                   label() + " does not offer " + extension_id);
  }
  // Every table begins with its size.
  const uint32_t size = *static_cast<const uint32_t*>(table);
  if (size < required_size) {
    throw Error(ErrorCode::FailedPrecondition,
                "the " + std::string{extension_id} + " table of " + label() + " has " +
                    std::to_string(size) + " bytes, at least " + std::to_string(required_size) +
                    " are needed",
                {}, "bad_plugin");
  }
  return table;
}

}  // namespace dbackup::host
