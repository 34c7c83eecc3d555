#pragma once

/// Everything an adapter in C++20 needs, and the macro that makes a shared library of it a plugin:
///
///   DBACKUP_PLUGIN("org.example.mine", "Mine", "1.0.0", dbackup::source<MySource>(kInfo, kCapabilities))

#include <dbackup/config.hpp>
#include <dbackup/descriptor.hpp>
#include <dbackup/exec.hpp>
#include <dbackup/notifier.hpp>
#include <dbackup/source.hpp>
#include <dbackup/storage.hpp>

#include <iterator>

/// Defines the plugin's one exported symbol. `...` are the adapters: source<T>(…), storage<T>(…),
/// notifier<T>(…). The entry itself is constant data, readable before any constructor has run.
#define DBACKUP_PLUGIN(plugin_id_, name_, version_, ...)                                       \
  namespace {                                                                                  \
  const dbackup_adapter* const kDbackupAdapters[] = {__VA_ARGS__};                             \
  }                                                                                            \
  extern "C" const dbackup_plugin_entry dbackup_plugin = {                                     \
      sizeof(dbackup_plugin_entry),                                                            \
      DBACKUP_ABI_MAJOR,                                                                       \
      DBACKUP_ABI_MINOR,                                                                       \
      static_cast<uint32_t>(std::size(kDbackupAdapters)),                                      \
      plugin_id_,                                                                              \
      name_,                                                                                   \
      version_,                                                                                \
      kDbackupAdapters};
