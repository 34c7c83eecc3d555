#include "services/ssh_settings.hpp"

#include <charconv>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "control/credential_overlay.hpp"
#include "store/credential_store.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kLongestPath = 4096;

std::string member(SshNames names, const std::string& bare) {
  if (names == SshNames::Bare) return bare;
  std::string out = "ssh" + bare;
  out[3] = static_cast<char>(out[3] - 'a' + 'A');
  return out;
}

void require_text(const Json& config, const std::string& name) {
  if (get_string(config, name).value_or("").empty()) {
    throw Error(ErrorCode::InvalidArgument, "\"" + name + "\" is required");
  }
}

void check_port(const Json& config, const std::string& name) {
  const auto found = config.find(name);
  if (found == config.end() || found->is_null()) return;
  int64_t port = 0;
  if (found->is_string()) {
    const auto& text = found->get_ref<const std::string&>();
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (status != std::errc{} || end != text.data() + text.size()) port = 0;
  } else if (found->is_number_integer()) {
    port = found->get<int64_t>();
  }
  if (port < 1 || port > 65535) {
    throw Error(ErrorCode::InvalidArgument, "\"" + name + "\" must be 1 to 65535");
  }
}

void check_backup_folder(const Json& config) {
  if (!config.contains("backupPath") || config.at("backupPath").is_null()) return;
  const std::string path = get_string(config, "backupPath").value_or("");
  if (path.empty() || path.size() > kLongestPath ||
      path.find_first_of(std::string{"\0\r\n", 3}) != std::string::npos) {
    throw Error(ErrorCode::InvalidArgument,
                "\"backupPath\" must have 1 to 4096 characters and no line break");
  }
}

}  // namespace

Json with_ssh_credential(const ControlContext& context, Json config, const std::string& id,
                         SshNames names) {
  if (id.empty()) return config;
  std::optional<Credential> credential;
  context.database.read(
      [&](Session& session) { credential = CredentialStore{}.find(session, id); });
  if (!credential || credential->type != "SSH_KEY") {
    throw Error(ErrorCode::InvalidArgument,
                "\"sshCredentialId\": \"" + id + "\" is no SSH key profile");
  }
  const Json payload = open_credential(context.box, *credential);
  for (const CredentialField& field : credential_fields::kSshKey) {
    const auto value = get_string(payload, field.name);
    if (!value || value->empty()) continue;
    config[std::string{names == SshNames::Bare ? field.name : field.fills_ssh}] = *value;
  }
  return config;
}

void check_ssh_settings(Json& config, SshNames names) {
  // Who gives a key and says no more means the key.
  if (get_string(config, member(names, "authType")).value_or("").empty() &&
      !get_string(config, member(names, "privateKey")).value_or("").empty()) {
    config[member(names, "authType")] = "privateKey";
  }
  require_text(config, member(names, "host"));
  require_text(config, member(names, "username"));
  check_port(config, member(names, "port"));
  const std::string kind = member(names, "authType");
  const std::string type = get_string(config, kind).value_or("");
  if (type.empty() || type == "password") {
    require_text(config, member(names, "password"));
  } else if (type == "privateKey") {
    require_text(config, member(names, "privateKey"));
  } else if (type != "agent") {
    throw Error(ErrorCode::InvalidArgument,
                "\"" + kind + "\" must be one of: password, privateKey, agent");
  }
  check_backup_folder(config);
}

}  // namespace dbackup::host
