#include <algorithm>

#include "base/error.hpp"
#include "base/logging.hpp"
#include "base/secret_string.hpp"
#include "control/backup_plan.hpp"
#include "control/catalog.hpp"
#include "control/execution_recorder.hpp"
#include "control/notification.hpp"
#include "control/reconcile.hpp"
#include "control/run.hpp"
#include "control/stage_table.hpp"
#include "control/worker_client.hpp"
#include "protocol/message_json.hpp"
#include "store/backup_store.hpp"

namespace dbackup::host {
namespace {

/// What the run knows when it ends, however it ends.
struct Outcome {
  ExecutionEnd end;
  std::vector<StoredBackup> stored;        ///< for the catalog
  std::vector<Reservation> settled;        ///< of destinations that are as they should be
  std::vector<Reservation> to_look_at;     ///< of the others
  std::vector<Reservation> taken_by_other; ///< the path turned out to be somebody else's
};

class BackupRun {
 public:
  BackupRun(const RunParts& parts, const Execution& execution, const RunStop& stop)
      : parts_{parts},
        execution_{execution},
        stop_{stop},
        recorder_{parts.recorders, execution.id, execution.type} {}

  void run() {
    Outcome outcome;
    try {
      recorder_.info("backup of \"" + execution_.job_name + "\" begins");
      plan_ = plan_backup(parts_, execution_, recorder_, stop_.token, job_, source_name_);
      outcome = judge(run_worker());
    } catch (const Error& error) {
      outcome = judge_failure(error);
    } catch (const std::exception& error) {
      outcome = judge_failure(Error(ErrorCode::Internal, "the run failed unexpectedly", error.what()));
    }
    finish(outcome);
  }

 private:
  protocol::BackupResult run_worker() {
    WorkerCall call;
    call.on_event = [this](const protocol::Event& event) { recorder_.take(event); };
    call.on_output = [this](const std::string& line) { recorder_.log("info", "command", line); };
    call.on_reserve = [this](const std::string& path) { return reserve(path); };
    call.stop = stop_.token;
    call.lane = WorkerLane::Run;
    const Json result = parts_.workers.run(protocol::Operation::Backup, Json(plan_.request), call);
    return protocol::body_as<protocol::BackupResult>(result);
  }

  /// Before any destination is opened the store knows where this run may leave something.
  bool reserve(const std::string& path) {
    if (!reservations_.empty()) return false;
    std::vector<Reservation> rows;
    for (const auto& destination : plan_.request.destinations) {
      rows.push_back({.token = destination.token,
                      .execution_id = execution_.id,
                      .destination_id = destination.id,
                      .path = path,
                      .created_at = parts_.context.clock.now_ms()});
    }
    try {
      parts_.context.database.write([&](Session& s) {
        for (const auto& row : rows) ReservationStore{}.insert(s, row);
      });
    } catch (const Error& error) {
      if (error.code() != ErrorCode::AlreadyExists) throw;
      return false;
    }
    reservations_ = std::move(rows);
    recorder_.info("stored as \"" + path + "\"");
    return true;
  }

  Json metadata(const std::string& engine_version, Json destinations) const {
    const auto& database = plan_.request.database;
    Json names = plan_.request.databases;
    if (!database.empty()) names.push_back(database);
    const size_t count = std::max<size_t>(names.size(), 1);
    Json out{{"label", !database.empty() ? database
                       : count == 1     ? "1 database"
                                        : std::to_string(count) + " databases"},
             {"count", count},
             {"names", names},
             {"jobName", plan_.job.name},
             {"sourceName", plan_.source.name},
             {"sourceType", plan_.source.adapter_id},
             {"adapterId", plan_.source.adapter_id},
             {"destinations", std::move(destinations)}};
    if (!engine_version.empty()) out["engineVersion"] = engine_version;
    if (!plan_.request.databases.empty()) {
      out["multiDb"] = {{"format", "tar"}, {"databases", plan_.request.databases}};
    }
    return out;
  }

  /// One entry of the metadata's destinations; `error` "": it succeeded.
  static Json destination_entry(const AdapterConfig& destination, const std::string& path,
                                const std::string& error) {
    Json out{{"configId", destination.id},
             {"name", destination.name},
             {"adapterId", destination.adapter_id},
             {"status", error.empty() ? "success" : "failed"}};
    if (!path.empty()) out["path"] = path;
    if (!error.empty()) out["error"] = error;
    return out;
  }

  const Reservation* reservation_of(const std::string& destination_id) const {
    for (const auto& row : reservations_) {
      if (row.destination_id == destination_id) return &row;
    }
    return nullptr;
  }

  Outcome judge(const protocol::BackupResult& result) {
    Outcome out;
    Json entries = Json::array();
    std::string causes;
    size_t good = 0;
    const TimeMs now = parts_.context.clock.now_ms();
    for (const auto& destination : plan_.destinations) {
      const auto said =
          std::find_if(result.destinations.begin(), result.destinations.end(),
                       [&](const auto& candidate) { return candidate.id == destination.id; });
      const Reservation* reserved = reservation_of(destination.id);
      const bool is_known = said != result.destinations.end();
      // A success anywhere but at the reserved path would be one that nobody looks after.
      const bool is_good = is_known && said->success && reserved != nullptr && reserved->path == result.path;
      std::string cause;
      if (is_good) {
        ++good;
        out.stored.push_back(parts_.catalog.row_of(destination.id, result.path,
                                                   static_cast<int64_t>(result.size), now,
                                                   dump_json(result.sidecar)));
        out.settled.push_back(*reserved);
        recorder_.log("success", "storage", "stored at \"" + destination.name + "\"");
      } else {
        cause = is_known && !said->error.empty() ? said->error : "the worker did not say how it ended";
        causes += (causes.empty() ? "" : "; ") + destination.name + ": " + cause;
        recorder_.log("error", "storage", destination.name + ": " + cause, is_known ? said->detail : "");
        const bool is_foreign =
            is_known && said->error_code == static_cast<int32_t>(ErrorCode::AlreadyExists);
        if (reserved != nullptr) (is_foreign ? out.taken_by_other : out.to_look_at).push_back(*reserved);
      }
      entries.push_back(destination_entry(destination, is_good ? result.path : "", cause));
    }
    out.end.status = good == plan_.destinations.size() ? "Success" : good > 0 ? "Partial" : "Failed";
    out.end.error = causes;
    if (good > 0) {
      out.end.path = result.path;
      out.end.size = static_cast<int64_t>(result.size);
    }
    out.end.metadata = metadata(result.engine_version, std::move(entries));
    return out;
  }

  Outcome judge_failure(const Error& error) {
    Outcome out;
    out.end = end_of_failure(error, stop_, "");
    recorder_.error(out.end.error, error.detail());
    const bool is_cancelled = stop_.token.stop_requested();
    // What the worker itself reports it has tidied up; one that died may have been done already.
    const bool may_be_whole = !is_cancelled && (error.reason() == "worker_crashed" ||
                                                error.reason() == "worker_protocol");
    size_t adopted = 0;
    Json entries = Json::array();
    for (const auto& destination : plan_.destinations) {
      const Reservation* reserved = reservation_of(destination.id);
      const bool is_whole = reserved != nullptr && may_be_whole && was_stored(*reserved);
      if (is_whole) {
        ++adopted;
        take_adopted(*reserved, out.end);
      } else if (reserved != nullptr) {
        out.to_look_at.push_back(*reserved);
      }
      entries.push_back(destination_entry(destination, is_whole ? reserved->path : "",
                                          is_whole ? "" : out.end.error));
    }
    if (adopted > 0) {
      out.end.status = adopted == plan_.destinations.size() ? "Success" : "Partial";
      if (out.end.status == "Success") out.end.error.clear();
      recorder_.warning("the worker ended early, but the backup had been stored whole");
    }
    if (!plan_.job.id.empty()) out.end.metadata = metadata("", std::move(entries));
    return out;
  }

  /// When the store cannot be asked now, the reservation stays and is looked at later.
  bool was_stored(const Reservation& reserved) {
    try {
      return parts_.reconciler.settle(reserved, /*is_foreign=*/false, stop_.token) ==
             ReservationFate::Adopted;
    } catch (const Error& error) {
      recorder_.warning(std::string{"what the worker left cannot be looked at yet: "} + error.what());
      return false;
    }
  }

  void take_adopted(const Reservation& reserved, ExecutionEnd& end) {
    parts_.context.database.read([&](Session& s) {
      const auto row = BackupStore{}.find(s, reserved.destination_id, reserved.path);
      end.path = reserved.path;
      if (row) end.size = row->size;
    });
  }

  void finish(Outcome& outcome) {
    wipe(plan_.request.mac_key);
    if (outcome.end.status == "Success") {
      recorder_.log("success", "general", "backup of " + size_text(outcome.end.size) + " completed");
    }
    recorder_.flush();
    outcome.end.ended_at = parts_.context.clock.now_ms();
    end_run(parts_, execution_, outcome.end, [&](Session& s) {
      for (const auto& row : outcome.stored) BackupStore{}.upsert(s, row);
      for (const auto& row : outcome.settled) ReservationStore{}.remove(s, row.token);
    });
    if (stop_.server.stop_requested()) return;  // the next start looks after it
    for (const auto& row : outcome.to_look_at) parts_.reconciler.settle(row, /*is_foreign=*/false, stop_.server);
    for (const auto& row : outcome.taken_by_other) parts_.reconciler.settle(row, /*is_foreign=*/true, stop_.server);
    if (!job_) return;
    Execution ended = execution_;
    ended.status = outcome.end.status;
    ended.error = outcome.end.error;
    ended.size = outcome.end.size;
    ended.ended_at = outcome.end.ended_at;
    parts_.notifications.backup_ended(ended, *job_, source_name_, recorder_, stop_.server);
  }

  const RunParts& parts_;
  const Execution& execution_;
  const RunStop& stop_;
  ExecutionRecorder recorder_;
  BackupPlan plan_;
  std::optional<Job> job_;
  std::string source_name_;
  std::vector<Reservation> reservations_;
};

}  // namespace

void run_backup(const RunParts& parts, const Execution& execution, const RunStop& stop) {
  BackupRun{parts, execution, stop}.run();
}

}  // namespace dbackup::host
