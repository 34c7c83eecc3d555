#include "control/restore_cleanup.hpp"

#include "base/error.hpp"
#include "base/logging.hpp"
#include "control/adapter_resolver.hpp"
#include "control/run_options.hpp"
#include "control/worker_client.hpp"
#include "protocol/message_json.hpp"
#include "store/adapter_store.hpp"
#include "store/restore_cleanup_store.hpp"

namespace dbackup::host {
namespace {

/// The databases that the restore may have begun to write.
std::vector<std::string> targets_of(const RestoreOptions& options) {
  std::vector<std::string> targets;
  for (const auto& mapping : options.databases) {
    targets.push_back(mapping.target_name.empty() ? mapping.original_name : mapping.target_name);
  }
  if (targets.empty()) {
    targets.push_back(options.database.empty() ? options.original_name : options.database);
  }
  return targets;
}

void clean_up(const ControlContext& context, WorkerClient& workers, const AdapterResolver& resolver,
              const Execution& execution, std::chrono::milliseconds deadline) {
  const RestoreOptions options = restore_options(execution.options);
  std::optional<AdapterConfig> target;
  context.database.read(
      [&](Session& s) { target = AdapterStore{}.find(s, options.target_source_id); });
  if (!target) return;  // deleted meanwhile: there is no way to it any more
  protocol::CleanupRestoreRequest request{.adapter = resolver.resolve(*target),
                                          .token = execution.id};
  request.privileged = open_login(context.box, execution.id, options.sealed_login);
  WorkerCall call;
  call.deadline = deadline;
  call.lane = WorkerLane::Run;
  for (const std::string& database : targets_of(options)) {
    request.database = database;
    workers.run(protocol::Operation::CleanupRestore, Json(request), call);
  }
}

void note(const ControlContext& context, const std::string& execution_id, bool is_left) noexcept {
  try {
    context.database.write([&](Session& s) {
      if (is_left) return RestoreCleanupStore{}.insert(s, execution_id, context.clock.now_ms());
      RestoreCleanupStore{}.remove(s, execution_id);
    });
  } catch (const std::exception& error) {
    log_error("the clean-up after restore " + execution_id + " cannot be noted: " + error.what());
  }
}

}  // namespace

std::string cleanup_restore(const ControlContext& context, WorkerClient& workers,
                            const AdapterResolver& resolver, const Execution& execution,
                            std::chrono::milliseconds deadline) {
  try {
    clean_up(context, workers, resolver, execution, deadline);
    note(context, execution.id, /*is_left=*/false);
    return "";
  } catch (const std::exception& error) {
    note(context, execution.id, /*is_left=*/true);
    log_warning("what restore " + execution.id +
                " left at its target cannot be removed: " + error.what());
    return std::string{"something unfinished may be left at the target until it answers: "} +
           error.what();
  }
}

}  // namespace dbackup::host
