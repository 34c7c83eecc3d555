#include "services/redaction.hpp"

namespace dbackup::host {
namespace {

bool has_value(const Json& value) {
  if (value.is_null()) return false;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  return true;
}

}  // namespace

Json redacted(const Json& config, const protocol::AdapterDescriptor* descriptor) {
  if (config.is_array()) {
    Json out = Json::array();
    for (const Json& item : config) out.push_back(redacted(item, descriptor));
    return out;
  }
  if (!config.is_object()) return config;
  Json out = Json::object();
  for (const auto& [name, value] : config.items()) {
    // An object below such a name is kept, its own secrets are not.
    if (is_secret_name(name, descriptor) && !value.is_object()) continue;
    out[name] = redacted(value, descriptor);
  }
  return out;
}

Json secret_status(const Json& config, const protocol::AdapterDescriptor* descriptor) {
  Json out = Json::object();
  if (!config.is_object()) return out;
  for (const auto& [name, value] : config.items()) {
    if (is_secret_name(name, descriptor) && !value.is_object()) out[name] = has_value(value);
  }
  return out;
}

Json with_kept_secrets(const Json& wanted, const Json& stored,
                       const protocol::AdapterDescriptor* descriptor) {
  Json out = wanted;
  if (!stored.is_object() || !out.is_object()) return out;
  for (const auto& [name, old] : stored.items()) {
    const auto found = out.find(name);
    if (is_secret_name(name, descriptor) && !old.is_object()) {
      const bool is_empty_text = found != out.end() && found->is_string() && !has_value(*found);
      if (found == out.end() || is_empty_text) out[name] = old;
      continue;
    }
    if (found != out.end() && found->is_object() && old.is_object()) {
      *found = with_kept_secrets(*found, old, descriptor);
    }
  }
  for (const auto& [name, value] : wanted.items()) {
    if (value.is_null() && is_secret_name(name, descriptor)) out.erase(name);
  }
  return out;
}

}  // namespace dbackup::host
