#pragma once

#include <span>
#include <string_view>

#include "base/json.hpp"

namespace dbackup::host {

namespace protocol {
struct AdapterDescriptor;
}

/// Names that hold a secret wherever they stand in a configuration, whatever its plugin declares.
std::span<const std::string_view> secret_names() noexcept;
/// By that list or as a secret option of the descriptor, which may be nullptr when the plugin is
/// gone.
bool is_secret_name(std::string_view name, const protocol::AdapterDescriptor* descriptor) noexcept;

/// `config` without its secrets, at any depth.
Json redacted(const Json& config, const protocol::AdapterDescriptor* descriptor);
/// {"password":true}: for each secret member at top level, whether it has a value.
Json secret_status(const Json& config, const protocol::AdapterDescriptor* descriptor);
/// `wanted` as the new configuration: a secret that is missing or "" keeps the value of `stored`,
/// at any depth of objects; an explicit null removes it.
Json with_kept_secrets(const Json& wanted, const Json& stored,
                       const protocol::AdapterDescriptor* descriptor);

}  // namespace dbackup::host
