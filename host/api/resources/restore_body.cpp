#include "api/resources/restore_body.hpp"

namespace dbackup::host {
namespace {

std::string text(const Json& object, const char* key) {
  return get_string(object, key).value_or("");
}

std::optional<std::vector<protocol::DatabaseMapping>> mapping_of(const Json& body) {
  const auto found = body.find("databaseMapping");
  // Missing or empty: everything, under its own names.
  if (found == body.end() || found->is_null() || found->empty()) return std::nullopt;
  std::vector<protocol::DatabaseMapping> out;
  if (found->is_object()) {
    for (const auto& [name, target] : found->items())
      out.push_back({name, target.get<std::string>()});
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
  command.target_database = text(body, "targetDatabaseName");
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
