#include "services/adapter_fields.hpp"

#include "base/error.hpp"

namespace dbackup::host {

std::string checked_name(const Json& fields) {
  const std::string name = require_string(fields, "name");
  if (name.find_first_not_of(" \t\r\n") == std::string::npos) {
    throw Error(ErrorCode::InvalidArgument, "\"name\" must not be empty");
  }
  size_t characters = 0;
  for (const char c : name) {
    characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
    if (static_cast<unsigned char>(c) < 0x20) {
      throw Error(ErrorCode::InvalidArgument, "\"name\" must not contain control characters");
    }
  }
  if (characters > 100) {
    throw Error(ErrorCode::InvalidArgument, "\"name\" must have at most 100 characters");
  }
  return name;
}

Json config_field(const Json& fields) {
  const auto found = fields.find("config");
  if (found == fields.end() || found->is_null()) {
    throw Error(ErrorCode::InvalidArgument, "\"config\" is required");
  }
  Json config =
      found->is_string() ? parse_json(found->get_ref<const std::string&>(), "\"config\"") : *found;
  if (!config.is_object()) throw Error(ErrorCode::InvalidArgument, "\"config\" must be an object");
  return config;
}

Json metadata_field(const Json& fields) {
  const auto found = fields.find("metadata");
  if (found == fields.end() || found->is_null()) return nullptr;
  if (!found->is_object())
    throw Error(ErrorCode::InvalidArgument, "\"metadata\" must be an object");
  return *found;
}

std::string checked_role(const std::string& role, const protocol::AdapterDescriptor& descriptor) {
  if (role != "DESTINATION" && role != "SOURCE") {
    throw Error(ErrorCode::InvalidArgument, "\"storageRole\" must be one of: DESTINATION, SOURCE");
  }
  const auto roles = descriptor.capabilities.find("roles");
  if (descriptor.kind != protocol::AdapterKind::Storage || roles == descriptor.capabilities.end())
    return role;
  for (const Json& offered : *roles) {
    if (offered == role) return role;
  }
  throw Error(ErrorCode::InvalidArgument, "\"" + descriptor.id + "\" cannot serve as " + role);
}

}  // namespace dbackup::host
