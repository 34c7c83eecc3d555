#include "control/adapter_resolver.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "control/plugin_registry.hpp"
#include "control/ssh_trust.hpp"
#include "protocol/secret_names.hpp"
#include "store/adapter_store.hpp"

namespace dbackup::host {
namespace {

std::string config_context(const std::string& id) { return "adapter/" + id; }

/// Symbolic links followed as far as the path exists; "" when it cannot be told.
std::filesystem::path real_path(const std::filesystem::path& path) {
  std::error_code failure;
  std::filesystem::path out = std::filesystem::weakly_canonical(path, failure);
  return failure ? path.lexically_normal() : out;
}

bool lies_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
  auto part = path.begin();
  for (const auto& wanted : folder) {
    if (wanted.empty()) continue;  // of a trailing slash
    if (part == path.end() || *part != wanted) return false;
    ++part;
  }
  return true;
}

}  // namespace

void refuse_private_paths(const protocol::AdapterRef& adapter, const PluginRegistry& plugins,
                          const std::string& data_dir) {
  const auto registered = plugins.find(adapter.adapter_id);
  if (!registered || data_dir.empty()) return;
  const auto private_folder = real_path(std::filesystem::path(data_dir) / "private");
  for (const auto& option : registered->descriptor.options) {
    if (option.type != "path" || !adapter.config.contains(option.name)) continue;
    const Json& value = adapter.config.at(option.name);
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) continue;
    const auto path = real_path(value.get<std::string>());
    const bool holds_it = registered->descriptor.kind == protocol::AdapterKind::Storage &&
                          lies_below(private_folder, path);
    if (holds_it || lies_below(path, private_folder)) {
      throw Error(ErrorCode::InvalidArgument,
                  "\"" + option.name + "\" leads into the server's private folder, or holds it", {},
                  "forbidden_path");
    }
  }
}

protocol::AdapterRef AdapterResolver::resolve_plain(const std::string& adapter_id,
                                                    const Json& config,
                                                    const CredentialSlots& slots) const {
  const auto registered = plugins_.find(adapter_id);
  if (!registered) {
    throw Error(ErrorCode::NotFound, "no plugin offers the adapter \"" + adapter_id + "\"", {},
                "adapter_unknown");
  }
  protocol::AdapterRef out{
      .plugin_path = registered->plugin_path,
      .adapter_id = adapter_id,
      .config = protocol::normalize_config(
          registered->descriptor, with_credentials(context_, registered->descriptor, config, slots),
          true)};
  refuse_private_paths(out, plugins_, context_.data_dir);
  const auto& use = registered->descriptor.ssh;
  if (use && use->asked(out.config)) out.ssh = ssh_trust(context_, *use, out.config);
  return out;
}

protocol::AdapterRef AdapterResolver::resolve(const AdapterConfig& adapter) const {
  return resolve_plain(
      adapter.adapter_id, open_config(adapter),
      {.primary = adapter.primary_credential_id, .ssh = adapter.ssh_credential_id});
}

protocol::AdapterRef AdapterResolver::resolve(const std::string& config_id) const {
  std::optional<AdapterConfig> found;
  context_.database.read([&](Session& s) { found = AdapterStore{}.find(s, config_id); });
  if (!found) throw Error(ErrorCode::NotFound, "there is no adapter \"" + config_id + "\"");
  return resolve(*found);
}

Json AdapterResolver::open_config(const AdapterConfig& adapter) const {
  const SecretString text = context_.box.open(adapter.sealed_config, config_context(adapter.id));
  return parse_json(text.reveal(), "configuration of \"" + adapter.name + "\"");
}

namespace {

void collect_texts(const Json& value, std::vector<std::string>& out) {
  if (value.is_string()) out.push_back(value.get<std::string>());
  if (!value.is_object() && !value.is_array()) return;
  for (const Json& member : value) collect_texts(member, out);
}

void collect_secrets(const Json& config, const protocol::AdapterDescriptor* descriptor,
                     std::vector<std::string>& out) {
  if (config.is_array()) {
    for (const Json& member : config) collect_secrets(member, descriptor, out);
  }
  if (!config.is_object()) return;
  for (const auto& [name, member] : config.items()) {
    if (is_secret_name(name, descriptor)) {
      collect_texts(member, out);
    } else {
      collect_secrets(member, descriptor, out);
    }
  }
}

}  // namespace

std::vector<std::string> AdapterResolver::secrets_of(const AdapterConfig& adapter,
                                                     const Json& config) const {
  const auto registered = plugins_.find(adapter.adapter_id);
  std::vector<std::string> out;
  collect_secrets(config, registered ? &registered->descriptor : nullptr, out);
  return out;
}

std::string AdapterResolver::seal_config(const std::string& id, const Json& config) const {
  std::string text = dump_json(config);
  std::string sealed = context_.box.seal(text, config_context(id));
  wipe(text);
  return sealed;
}

}  // namespace dbackup::host
