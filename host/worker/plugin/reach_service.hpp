#pragma once

#include <dbackup/abi.h>

namespace dbackup::host {

/// The "dbackup.host.reach/1" table: endpoints are dialled directly, or through the call's SSH
/// session: then a port of 127.0.0.1 leads there while the endpoint lives. A host that is a path is
/// a Unix socket there. Static for the process. [any thread]
const dbackup_host_reach* reach_service() noexcept;

}  // namespace dbackup::host
