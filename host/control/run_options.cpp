#include "control/run_options.hpp"

#include "base/error.hpp"
#include "protocol/message_json.hpp"

namespace dbackup::host {
namespace {

std::string login_context(const std::string& execution_id) { return "execution/" + execution_id; }

}  // namespace

Json to_json(const BackupOptions& options) { return {{"lock", options.lock}}; }

BackupOptions backup_options(const Json& json) {
  return {.lock = get_bool(json, "lock").value_or(false)};
}

Json to_json(const RestoreOptions& options) {
  return {{"destinationId", options.destination_id},
          {"path", options.path},
          {"targetSourceId", options.target_source_id},
          {"database", options.database},
          {"originalName", options.original_name},
          {"databases", options.databases},
          {"profileOverride", options.profile_override},
          {"sealedLogin", options.sealed_login},
          {"needsIdentity", options.needs_identity}};
}

RestoreOptions restore_options(const Json& json) {
  return {.destination_id = require_string(json, "destinationId"),
          .path = require_string(json, "path"),
          .target_source_id = require_string(json, "targetSourceId"),
          .database = get_string(json, "database").value_or(""),
          .original_name = get_string(json, "originalName").value_or(""),
          .databases = json.value("databases", std::vector<protocol::DatabaseMapping>{}),
          .profile_override = get_string(json, "profileOverride").value_or(""),
          .sealed_login = get_string(json, "sealedLogin").value_or(""),
          .needs_identity = get_bool(json, "needsIdentity").value_or(false)};
}

std::string seal_login(const SecretBox& box, const std::string& execution_id,
                       const protocol::PrivilegedLogin& login) {
  std::string text = dump_json({{"user", login.user}, {"password", login.password}});
  std::string sealed = box.seal(text, login_context(execution_id));
  wipe(text);
  return sealed;
}

protocol::PrivilegedLogin open_login(const SecretBox& box, const std::string& execution_id,
                                     const std::string& sealed) {
  if (sealed.empty()) return {};
  const SecretString text = box.open(sealed, login_context(execution_id));
  const Json json = parse_json(text.reveal(), "login");
  return {.user = get_string(json, "user").value_or(""),
          .password = get_string(json, "password").value_or("")};
}

Json to_json(const VerificationOptions& options) {
  return {{"destinationId", options.destination_id}, {"path", options.path}, {"trigger", options.trigger}};
}

VerificationOptions verification_options(const Json& json) {
  return {.destination_id = require_string(json, "destinationId"),
          .path = require_string(json, "path"),
          .trigger = get_string(json, "trigger").value_or("manual")};
}

void SecretsInMemory::put(const std::string& execution_id, SecretString identity) {
  const std::lock_guard lock{mutex_};
  identities_.insert_or_assign(execution_id, std::move(identity));
}

std::optional<SecretString> SecretsInMemory::take(const std::string& execution_id) {
  const std::lock_guard lock{mutex_};
  const auto found = identities_.find(execution_id);
  if (found == identities_.end()) return std::nullopt;
  std::optional<SecretString> out{std::move(found->second)};
  identities_.erase(found);
  return out;
}

void SecretsInMemory::forget(const std::string& execution_id) {
  const std::lock_guard lock{mutex_};
  identities_.erase(execution_id);
}

}  // namespace dbackup::host
