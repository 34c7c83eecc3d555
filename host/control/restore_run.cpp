#include "base/error.hpp"
#include "base/secret_string.hpp"
#include "control/adapter_resolver.hpp"
#include "control/catalog.hpp"
#include "control/execution_recorder.hpp"
#include "control/notification.hpp"
#include "control/plugin_registry.hpp"
#include "control/reading_keys.hpp"
#include "control/restore_cleanup.hpp"
#include "control/run.hpp"
#include "control/run_options.hpp"
#include "control/worker_client.hpp"
#include "model/backup_name.hpp"
#include "model/sidecar.hpp"
#include "protocol/message_json.hpp"
#include "store/adapter_store.hpp"

namespace dbackup::host {
namespace {

constexpr std::chrono::seconds kCleanup{30};
constexpr std::chrono::seconds kHurriedCleanup{2};

class RestoreRun {
 public:
  RestoreRun(const RunParts& parts, const Execution& execution, const RunStop& stop)
      : parts_{parts},
        execution_{execution},
        stop_{stop},
        recorder_{parts.recorders, execution.id, execution.type} {}

  void run() {
    ExecutionEnd end;
    try {
      const protocol::RestoreRequest request = prepare();
      WorkerCall call;
      call.on_event = [this](const protocol::Event& event) { recorder_.take(event); };
      call.on_output = [this](const std::string& line) { recorder_.log("info", "command", line); };
      call.stop = stop_.token;
      call.lane = WorkerLane::Run;
      has_begun_ = true;
      parts_.workers.run(protocol::Operation::Restore, Json(request), call);
      end.status = "Success";
      recorder_.log("success", "general", "\"" + options_.path + "\" was restored into \"" + target_.name + "\"");
    } catch (const Error& error) {
      end = end_of_failure(error, stop_, "");
      recorder_.error(end.error, error.detail());
    } catch (const std::exception& error) {
      end = end_of_failure(Error(ErrorCode::Internal, "the restore failed unexpectedly"), stop_, "");
      recorder_.error(end.error, error.what());
    }
    if (has_begun_ && end.status != "Success") clean_up(end);
    parts_.secrets.forget(execution_.id);
    recorder_.flush();
    end.path = execution_.path.empty() ? options_.path : execution_.path;
    end.size = backup_.size;
    end.metadata = {{"label", database_},
                    {"sourceName", target_.name},
                    {"adapterId", target_.adapter_id},
                    {"destinations", Json::array()}};
    end.ended_at = parts_.context.clock.now_ms();
    end_run(parts_, execution_, end);
    tell(end);
  }

 private:
  void tell(const ExecutionEnd& end) {
    if (stop_.server.stop_requested()) return;
    Execution ended = execution_;
    ended.status = end.status;
    ended.error = end.error;
    ended.size = end.size;
    ended.ended_at = end.ended_at;
    parts_.notifications.restore_ended(ended,
                                       {.source_name = target_.name,
                                        .adapter_id = target_.adapter_id,
                                        .database = database_,
                                        .storage_name = storage_name_,
                                        .file = options_.path},
                                       recorder_, stop_.server);
  }

  /// A worker that could still act has undone its work; one that was killed has not.
  void clean_up(ExecutionEnd& end) {
    const bool is_hurried = stop_.server.stop_requested();
    const std::string left =
        cleanup_restore(parts_.context, parts_.workers, parts_.resolver, execution_,
                        is_hurried ? kHurriedCleanup : kCleanup);
    if (left.empty()) return;
    recorder_.error(left);
    end.error += "; " + left;
  }

  protocol::RestoreRequest prepare() {
    options_ = restore_options(execution_.options);
    std::string identity;
    if (options_.needs_identity) {
      const auto kept = parts_.secrets.take(execution_.id);
      if (!kept) {
        throw Error(ErrorCode::FailedPrecondition,
                    "the key given with this restore was kept in memory only and is lost: start the restore anew",
                    {}, "encryption_key_required");
      }
      identity = kept->reveal();
    }
    backup_ = parts_.catalog.find(options_.destination_id, options_.path);
    std::optional<AdapterConfig> storage, target;
    parts_.context.database.read([&](Session& s) {
      storage = AdapterStore{}.find(s, options_.destination_id);
      target = AdapterStore{}.find(s, options_.target_source_id);
    });
    if (!storage) throw Error(ErrorCode::NotFound, "the destination of the backup does not exist any more");
    if (!target) throw Error(ErrorCode::NotFound, "the source to restore into does not exist any more");
    target_ = *target;
    storage_name_ = storage->name;

    protocol::RestoreRequest request;
    request.file = stored_file(backup_, parts_.resolver.resolve(*storage),
                               identities_for(parts_.context, backup_, options_.profile_override, identity));
    wipe(identity);
    request.source = parts_.resolver.resolve(*target);
    if (is_archive_path(options_.path)) {
      request.databases = options_.databases;
      for (const auto& mapping : options_.databases) {
        database_ += (database_.empty() ? "" : ", ") +
                     (mapping.target_name.empty() ? mapping.original_name : mapping.target_name);
      }
    } else {
      request.original_name = options_.original_name.empty() ? name_in_sidecar() : options_.original_name;
      request.database = options_.database.empty() ? request.original_name : options_.database;
      database_ = request.database;
    }
    request.token = execution_.id;
    request.privileged = open_login(parts_.context.box, execution_.id, options_.sealed_login);
    recorder_.info("restore of \"" + options_.path + "\" into \"" + target_.name + "\"" +
                   (database_.empty() ? "" : ", database \"" + database_ + "\""));
    if (backup_.signature == "tampered") {
      recorder_.log("warning", "security", "the metadata of the backup was altered; it is not relied on");
    }
    return request;
  }

  std::string name_in_sidecar() const {
    if (backup_.sidecar.empty()) return "";
    const Sidecar sidecar = parse_sidecar(dump_json(backup_.sidecar));
    return sidecar.database_names.size() == 1 ? sidecar.database_names.front() : "";
  }

  const RunParts& parts_;
  const Execution& execution_;
  const RunStop& stop_;
  ExecutionRecorder recorder_;
  RestoreOptions options_;
  StoredBackup backup_;
  AdapterConfig target_;
  std::string database_, storage_name_;
  bool has_begun_ = false;
};

}  // namespace

void run_restore(const RunParts& parts, const Execution& execution, const RunStop& stop) {
  RestoreRun{parts, execution, stop}.run();
}

}  // namespace dbackup::host
