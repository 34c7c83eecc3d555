#pragma once

#include <chrono>
#include <string>

#include "control/context.hpp"
#include "model/nouns.hpp"

namespace dbackup::host {

class AdapterResolver;
class WorkerClient;

/// Removes at the target what a restore made there and did not finish: its worker or its host was
/// killed, so nobody else will. Blocks on the target, at most `deadline`. Returns what may still be
/// there, for people, or ""; what may be there is noted, for Reconciler::finish_restores(). Never
/// throws.
std::string cleanup_restore(const ControlContext& context, WorkerClient& workers,
                            const AdapterResolver& resolver, const Execution& execution,
                            std::chrono::milliseconds deadline);

}  // namespace dbackup::host
