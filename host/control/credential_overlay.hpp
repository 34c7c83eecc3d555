#pragma once

#include <string>

#include "base/json.hpp"
#include "control/context.hpp"
#include "model/credential.hpp"
#include "protocol/descriptor.hpp"

namespace dbackup::host {

/// Slots of an adapter that a credential may fill; "" for none.
struct CredentialSlots {
  std::string primary, ssh;
  bool empty() const { return primary.empty() && ssh.empty(); }
};

/// The payload in clear.
Json open_credential(const SecretBox& box, const Credential& credential);
std::string seal_credential(const SecretBox& box, const std::string& id, const Json& payload);

/// `config` with the payload laid over it, under the names by which the adapter knows its fields.
/// Empty members of the payload leave the configuration's own.
Json overlaid(const Json& config, const Json& payload, const CredentialType& type, bool is_ssh_slot,
              const protocol::AdapterDescriptor& descriptor);

/// The same for both slots, read from the metadata. Throws Error{NotFound} for an unknown
/// credential, {InvalidArgument} for a slot the adapter does not have or a credential of another
/// type, naming the field.
Json with_credentials(const ControlContext& context, const protocol::AdapterDescriptor& descriptor,
                      const Json& config, const CredentialSlots& slots);

}  // namespace dbackup::host
