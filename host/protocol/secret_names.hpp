#pragma once

#include <span>
#include <string_view>

namespace dbackup::host {

namespace protocol {
struct AdapterDescriptor;
}

/// Names that hold a secret wherever they stand in a configuration, whatever its plugin declares.
std::span<const std::string_view> secret_names() noexcept;
/// By that list or as a secret option of the descriptor, which may be nullptr when the plugin is
/// gone.
bool is_secret_name(std::string_view name, const protocol::AdapterDescriptor* descriptor) noexcept;

}  // namespace dbackup::host
