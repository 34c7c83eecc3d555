#include "control/credential_overlay.hpp"

#include "base/error.hpp"
#include "store/credential_store.hpp"

namespace dbackup::host {
namespace {

std::string context_of(const std::string& id) { return "credential/" + id; }

Json overlaid_slot(const ControlContext& context, const protocol::AdapterDescriptor& descriptor,
                   Json config, const std::string& id, bool is_ssh_slot) {
  if (id.empty()) return config;
  const std::string field = is_ssh_slot ? "sshCredentialId" : "primaryCredentialId";
  const std::string& wanted =
      is_ssh_slot ? descriptor.ssh_credential : descriptor.primary_credential;
  if (wanted.empty()) {
    throw Error(ErrorCode::InvalidArgument,
                "\"" + field + "\": \"" + descriptor.id + "\" takes no such credential");
  }
  std::optional<Credential> credential;
  context.database.read([&](Session& s) { credential = CredentialStore{}.find(s, id); });
  if (!credential) {
    throw Error(ErrorCode::NotFound,
                "\"" + field + "\": credential profile \"" + id + "\" not found");
  }
  if (credential->type != wanted) {
    throw Error(ErrorCode::InvalidArgument, "\"" + field + "\": a credential of type " + wanted +
                                                " is needed, and \"" + credential->name + "\" is " +
                                                credential->type);
  }
  const CredentialType* type = find_credential_type(credential->type);
  if (type == nullptr) return config;
  return overlaid(config, open_credential(context.box, *credential), *type, is_ssh_slot,
                  descriptor);
}

}  // namespace

Json open_credential(const SecretBox& box, const Credential& credential) {
  const SecretString text = box.open(credential.sealed_data, context_of(credential.id));
  return parse_json(text.reveal(), "credential \"" + credential.name + "\"");
}

std::string seal_credential(const SecretBox& box, const std::string& id, const Json& payload) {
  std::string text = dump_json(payload);
  std::string sealed = box.seal(text, context_of(id));
  wipe(text);
  return sealed;
}

Json overlaid(const Json& config, const Json& payload, const CredentialType& type, bool is_ssh_slot,
              const protocol::AdapterDescriptor& descriptor) {
  Json out = config;
  for (const CredentialField& field : type.fields) {
    const auto value = payload.find(field.name);
    if (value == payload.end() || !value->is_string() ||
        value->get_ref<const std::string&>().empty())
      continue;
    if (is_ssh_slot && !field.fills_ssh.empty() &&
        descriptor.option(std::string{field.fills_ssh})) {
      out[std::string{field.fills_ssh}] = *value;
      continue;
    }
    bool is_declared = false;
    for (const std::string_view name : field.fills) {
      if (name.empty() || descriptor.option(std::string{name}) == nullptr) continue;
      out[std::string{name}] = *value;
      is_declared = true;
    }
    // A plugin that takes it under a name it does not declare gets it under every usual one.
    for (const std::string_view name : field.fills) {
      if (!is_declared && !name.empty()) out[std::string{name}] = *value;
    }
  }
  return out;
}

Json with_credentials(const ControlContext& context, const protocol::AdapterDescriptor& descriptor,
                      const Json& config, const CredentialSlots& slots) {
  Json out = overlaid_slot(context, descriptor, config, slots.primary, /*is_ssh_slot=*/false);
  return overlaid_slot(context, descriptor, std::move(out), slots.ssh, /*is_ssh_slot=*/true);
}

}  // namespace dbackup::host
