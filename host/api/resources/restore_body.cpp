#include "api/resources/restore_body.hpp"

#include "base/error.hpp"

namespace dbackup::host {
namespace {

std::string text(const Json& object, const char* key) {
  return get_string(object, key).value_or("");
}

/// An empty name is more often a variable without a value than the wish to overwrite the original.
void refuse_empty_name(const std::string& where) {
  throw Error(ErrorCode::InvalidArgument,
              where + " is empty; leave it out to restore under the name in the backup");
}

std::optional<std::vector<protocol::DatabaseMapping>> mapping_of(const Json& body) {
  const auto found = body.find("databaseMapping");
  // Missing or empty: everything, under its own names.
  if (found == body.end() || found->is_null() || found->empty()) return std::nullopt;
  std::vector<protocol::DatabaseMapping> out;
  if (found->is_object()) {
    for (const auto& [name, target] : found->items()) {
      out.push_back({name, target.get<std::string>()});
      if (out.back().target_name.empty()) {
        refuse_empty_name("\"databaseMapping\": the new name of \"" + name + "\"");
      }
    }
    return out;
  }
  for (const Json& item : *found) {
    if (!get_bool(item, "selected").value_or(true)) continue;
    out.push_back({require_string(item, "originalName"), text(item, "targetName")});
  }
  return out;
}

bool selects_files(const Json& body) {
  if (text(body, "scope") == "files") return true;
  const auto found = body.find("directoryMapping");
  if (found == body.end() || !found->is_array()) return false;
  for (const Json& item : *found) {
    if (get_bool(item, "selected").value_or(true)) return true;
  }
  return false;
}

}  // namespace

RestoreCommand parse_restore(const std::string& destination_id, const Json& body) {
  RestoreCommand command{.destination_id = destination_id, .path = require_string(body, "file")};
  command.target_source_id = text(body, "targetSourceId");
  const auto name = get_string(body, "targetDatabaseName");
  if (name && name->empty()) refuse_empty_name("\"targetDatabaseName\"");
  command.target_database = name.value_or("");
  command.databases = mapping_of(body);
  command.profile_override = text(body, "profileIdOverride");
  command.identity = SecretString{text(body, "identity")};
  command.wants_files = selects_files(body);
  const auto login = body.find("privilegedAuth");
  if (login != body.end() && login->is_object()) {
    command.user = text(*login, "user");
    command.password = SecretString{text(*login, "password")};
  }
  return command;
}

}  // namespace dbackup::host
