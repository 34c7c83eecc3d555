#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace dbackup::host::protocol {

enum class AdapterKind { Source, Storage, Notifier };

/// One option of an adapter, as its plugin declares it (types: sdk/include/dbackup/descriptor.hpp).
struct AdapterOption {
  std::string name, type, help;
  bool required = false;
  bool secret = false;
  Json fallback;  ///< null: no default
  std::vector<std::string> choices;
  std::optional<int64_t> minimum, maximum;
};

/// Which options of an adapter hold the login of an SSH server it can work from.
struct SshUse {
  std::string prefix;  ///< "ssh": sshHost, sshPort, …; "": host, port, …
  std::string option;  ///< by SSH when this option says "ssh"; "": always

  /// The name of a setting ("authType") among the adapter's options.
  std::string member(const std::string& setting) const;
  /// Does this configuration ask for SSH?
  bool asked(const Json& config) const;
};

/// What an adapter says of itself, without having been connected anywhere.
struct AdapterDescriptor {
  AdapterKind kind = AdapterKind::Source;
  std::string id, name, group;
  bool beta = false;
  std::vector<AdapterOption> options;
  std::string primary_credential, ssh_credential;  ///< credential types; "": no such slot
  bool primary_optional = false;  ///< can run without a profile in the primary slot
  std::optional<SshUse> ssh;      ///< nullopt: never works over SSH
  Json capabilities = Json::object();

  /// A declared flag; false when it is missing.
  bool can(const std::string& capability) const;
  const AdapterOption* option(const std::string& name) const;
};

/// Checks shape, option types and default values. Throws Error{InvalidArgument} that names the member.
AdapterDescriptor parse_descriptor(const Json& json);

/// `config` with types checked, choices and ranges enforced, and defaults filled in; unknown members are
/// kept. Numbers sent as text ("5432") are accepted for integers, as clients do. Required options are
/// demanded only when `complete`. Throws Error{InvalidArgument} naming the option.
Json normalize_config(const AdapterDescriptor& descriptor, const Json& config, bool complete);

}  // namespace dbackup::host::protocol
