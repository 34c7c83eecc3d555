#pragma once

#include <dbackup/abi.h>

namespace dbackup::host {

/// The "dbackup.host.exec/1" table: programs on this machine, or on the one behind the
/// call's SSH session. Static for the process; each
/// function's `ctx` is a CallContext. [any thread]
const dbackup_host_exec* exec_service() noexcept;

}  // namespace dbackup::host
