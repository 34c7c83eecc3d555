#pragma once

#include <functional>
#include <string>

#include "base/error.hpp"

namespace dbackup::host {

/// Runs `body`, which waits for an adapter. What the adapter says about its own server must not be
/// taken for a statement of ours about the caller: a login it refuses is no missing permission
/// here, and a server it cannot reach is not this server being busy. Both become Unavailable with
/// reason "adapter".
void as_adapter_failure(const std::function<void()>& body);

/// Runs `body`, which opens a sealed backup. A missing key names `profile_id` for the client.
void as_key_failure(const std::string& profile_id, const std::function<void()>& body);

}  // namespace dbackup::host
