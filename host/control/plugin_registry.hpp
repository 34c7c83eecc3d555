#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/context.hpp"
#include "protocol/descriptor.hpp"

namespace dbackup::host {

class WorkerClient;

/// One adapter that a plugin offers. Immutable once handed out.
struct RegisteredAdapter {
  protocol::AdapterDescriptor descriptor;
  std::string plugin_path, plugin_id, plugin_name, plugin_version;
};

struct BrokenPlugin {
  std::string path, reason;
};

/// Which adapters there are: asks every plugin file once, in a worker of its own, and remembers the
/// answers by the file's hash in "<data>/cache/plugins.json". [any-thread]
class PluginRegistry {
 public:
  /// `directories` in order of precedence, built-in first: an adapter id belongs to the first plugin
  /// that offers it. Missing directories are skipped.
  PluginRegistry(const ControlContext& context, WorkerClient& workers,
                 std::vector<std::string> directories);
  ~PluginRegistry();

  /// Reads the directories anew. Blocks; one at a time. A plugin that fails is in broken().
  void refresh();
  /// refresh() in a thread of its own.
  void start();
  bool is_ready() const;
  /// Blocks until the first refresh has ended.
  void wait_ready() const;

  /// Waits for the first refresh. nullptr: nobody offers it.
  std::shared_ptr<const RegisteredAdapter> find(const std::string& adapter_id,
                                                std::optional<protocol::AdapterKind> kind = {}) const;
  std::vector<std::shared_ptr<const RegisteredAdapter>> list() const;  ///< by id
  std::vector<BrokenPlugin> broken() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dbackup::host
