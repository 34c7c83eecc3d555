#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "control/context.hpp"
#include "control/credential_overlay.hpp"
#include "model/nouns.hpp"
#include "protocol/message.hpp"

namespace dbackup::host {

class PluginRegistry;

/// From a saved adapter configuration to what a worker gets. [any-thread]
class AdapterResolver {
 public:
  AdapterResolver(const ControlContext& context, const PluginRegistry& plugins)
      : context_{context}, plugins_{plugins} {}

  /// Opens the configuration, fills in defaults, checks it and its paths. Throws Error{NotFound,
  /// "adapter_unknown"} when no plugin offers it, {InvalidArgument} when it does not fit its
  /// options, {FailedPrecondition} when another master key sealed it.
  protocol::AdapterRef resolve(const AdapterConfig& adapter) const;
  /// The same for the adapter with this id; {NotFound} when there is none.
  protocol::AdapterRef resolve(const std::string& config_id) const;
  /// For configurations that are not saved yet. Credentials are laid over the configuration first:
  /// see with_credentials() for what it throws.
  protocol::AdapterRef resolve_plain(const std::string& adapter_id, const Json& config,
                                     const CredentialSlots& slots = {}) const;

  /// The whole configuration, secrets in clear; context "adapter/<id>".
  Json open_config(const AdapterConfig& adapter) const;
  /// Values of `config` that no text may show: those of its secret members, at any depth.
  std::vector<std::string> secrets_of(const AdapterConfig& adapter, const Json& config) const;
  std::string seal_config(const std::string& id, const Json& config) const;

 private:
  const ControlContext& context_;
  const PluginRegistry& plugins_;
};

/// Throws Error{InvalidArgument, "forbidden_path"} when a path option leads into the server's
/// private folder, or, for a storage, when that folder lies below it.
void refuse_private_paths(const protocol::AdapterRef& adapter, const PluginRegistry& plugins,
                          const std::string& data_dir);

}  // namespace dbackup::host
