#include "control/restore_cleanup.hpp"

#include "base/error.hpp"
#include "base/logging.hpp"
#include "control/adapter_resolver.hpp"
#include "control/run_options.hpp"
#include "control/worker_client.hpp"
#include "protocol/message_json.hpp"
#include "store/adapter_store.hpp"

namespace dbackup::host {

std::string cleanup_restore(const ControlContext& context, WorkerClient& workers,
                            const AdapterResolver& resolver, const Execution& execution,
                            std::chrono::milliseconds deadline) {
  try {
    const RestoreOptions options = restore_options(execution.options);
    std::optional<AdapterConfig> target;
    context.database.read(
        [&](Session& s) { target = AdapterStore{}.find(s, options.target_source_id); });
    if (!target) return "";  // deleted meanwhile: there is no way to it any more
    protocol::CleanupRestoreRequest request{
        .adapter = resolver.resolve(*target),
        .database = options.database.empty() ? options.original_name : options.database,
        .token = execution.id};
    request.privileged = open_login(context.box, execution.id, options.sealed_login);
    WorkerCall call;
    call.deadline = deadline;
    call.lane = WorkerLane::Run;
    workers.run(protocol::Operation::CleanupRestore, Json(request), call);
    return "";
  } catch (const std::exception& error) {
    log_warning("what restore " + execution.id + " left at its target cannot be removed: " +
                error.what());
    return std::string{"something unfinished may be left at the target: "} + error.what();
  }
}

}  // namespace dbackup::host
