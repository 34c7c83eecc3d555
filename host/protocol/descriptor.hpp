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

/// What an adapter says of itself, without having been connected anywhere.
struct AdapterDescriptor {
  AdapterKind kind = AdapterKind::Source;
  std::string id, name, group;
  bool beta = false;
  std::vector<AdapterOption> options;
  std::string primary_credential, ssh_credential;  ///< credential types; "": no such slot
  bool primary_optional = false;  ///< can run without a profile in the primary slot
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
