#pragma once

#include <dbackup/abi.h>

namespace dbackup::host {

/// The "dbackup.host.reach/1" table: this machine sees the target's network as it is, so every
/// endpoint is dialled directly. Static for the process. [any thread]
const dbackup_host_reach* reach_service() noexcept;

}  // namespace dbackup::host
