#pragma once

#include <dbackup/abi.h>
#include <sys/resource.h>

namespace dbackup::host {

/// The "dbackup.host.exec/1" table: programs on this machine. Static for the process; each
/// function's `ctx` is a CallContext. [any thread]
const dbackup_host_exec* exec_service() noexcept;

}  // namespace dbackup::host
