#pragma once

#include "base/json.hpp"
#include "protocol/secret_names.hpp"

namespace dbackup::host {

/// `config` without its secrets, at any depth.
Json redacted(const Json& config, const protocol::AdapterDescriptor* descriptor);
/// {"password":true}: for each secret member at top level, whether it has a value.
Json secret_status(const Json& config, const protocol::AdapterDescriptor* descriptor);
/// `wanted` as the new configuration: a secret that is missing or "" keeps the value of `stored`,
/// at any depth of objects; an explicit null removes it.
Json with_kept_secrets(const Json& wanted, const Json& stored,
                       const protocol::AdapterDescriptor* descriptor);

}  // namespace dbackup::host
