#include "services/execution_service.hpp"

#include <algorithm>

#include "base/id.hpp"
#include "control/control_plane.hpp"
#include "services/audit_log.hpp"
#include "services/job_fields.hpp"
#include "store/execution_store.hpp"
#include "store/job_store.hpp"

namespace dbackup::host {

std::string trigger_type(const Principal& who) {
  return who.kind == PrincipalKind::ApiKey ? "Api" : "Manual";
}

void check_labels(const std::map<std::string, std::string>& labels) {
  if (labels.size() > 16)
    throw Error(ErrorCode::InvalidArgument, "\"labels\" must have at most 16 entries");
  for (const auto& [key, value] : labels) {
    if (key.empty() || key.size() > 64) {
      throw Error(ErrorCode::InvalidArgument, "\"labels\": a name must have 1 to 64 characters");
    }
    if (value.size() > 256) {
      throw Error(ErrorCode::InvalidArgument,
                  "\"labels\": \"" + key + "\" must have at most 256 characters");
    }
  }
}

std::string ExecutionService::run(const Principal& who, const RunJob& command) {
  check_labels(command.labels);
  Execution execution{.id = new_uuid(), .job_id = command.job_id};
  execution.started_at = control_.context().clock.now_ms();
  execution.trigger_type = trigger_type(who);
  execution.trigger_label = who.name;
  execution.labels = command.labels;
  execution.options = to_json(BackupOptions{.lock = command.lock});
  if (command.lock) execution.metadata["lock"] = true;
  control_.context().database.write([&](Session& session) {
    const auto job = JobStore{}.find(session, command.job_id);
    if (!job) throw Error(ErrorCode::NotFound, "job not found");
    check_job_can_run(*job);
    execution.job_name = job->name;
    ExecutionStore{}.insert(session, execution);
    const bool is_key = who.kind == PrincipalKind::ApiKey;
    Json details{{"executionId", execution.id},
                 {"trigger", is_key ? "api" : "manual"},
                 {"lock", command.lock}};
    if (is_key) details["apiKeyId"] = who.id;
    audit_.write(session, who, AuditAction::Execute, AuditResource::Job, job->id, details);
  });
  control_.context().news->tell(execution.id, RunNews::What::Status);
  control_.queue().kick();
  return execution.id;
}

ExecutionView ExecutionService::get(const std::string& id, bool with_logs) {
  ExecutionView view;
  control_.context().database.read([&](Session& session) {
    auto row = ExecutionStore{}.find(session, id);
    if (!row) throw Error(ErrorCode::NotFound, "execution not found");
    view.execution = std::move(*row);
    if (with_logs) view.logs = ExecutionStore{}.logs(session, id);
  });
  return view;
}

void ExecutionService::visit(const std::string& id, bool with_logs,
                             const std::function<void(const Execution&, const std::string& labels,
                                                      const std::vector<LogEntry>& logs)>& body) {
  control_.context().database.read([&](Session& session) {
    std::vector<LogEntry> logs;
    if (with_logs) logs = ExecutionStore{}.logs(session, id);
    const bool found = ExecutionStore{}.visit(
        session, id,
        [&](const Execution& run, const std::string& labels) { body(run, labels, logs); });
    if (!found) throw Error(ErrorCode::NotFound, "execution not found");
  });
}

std::string ExecutionService::cancel(const Principal& who, const std::string& id) {
  const CancelOutcome outcome = control_.queue().cancel(id, who.name);
  if (outcome != CancelOutcome::AlreadyEnded && outcome != CancelOutcome::Unknown) {
    // The queue has transactions of its own, so this is one more.
    const Execution run = get(id, /*with_logs=*/false).execution;
    audit_.write(who, AuditAction::Execute, AuditResource::Job, run.job_id,
                 {{"executionId", id}, {"action", "cancel"}, {"type", run.type}});
  }
  switch (outcome) {
    case CancelOutcome::Cancelled:
      return "Execution cancelled";
    case CancelOutcome::Signalled:
      return "Cancellation requested";
    case CancelOutcome::Forced:
      return "Execution was no longer running and is now cancelled";
    case CancelOutcome::AlreadyEnded:
      throw Error(ErrorCode::FailedPrecondition, "the execution has already ended", {},
                  "has_ended");
    case CancelOutcome::Unknown:
      break;
  }
  throw Error(ErrorCode::NotFound, "execution not found");
}

std::optional<ExecutionPosition> ExecutionService::list(const ExecutionFilter& filter,
                                                        ExecutionSlice slice, const Body& body) {
  const int64_t wanted = slice.limit;
  slice.limit = wanted + 1;  // one more shows whether there is a next page
  int64_t shown = 0;
  bool has_more = false;
  ExecutionPosition last;
  control_.context().database.read([&](Session& session) {
    ExecutionListStore{}.list(session, filter, slice,
                              [&](const Execution& run, const std::string& labels) {
                                if (++shown > wanted) {
                                  has_more = true;
                                  return;
                                }
                                last = {.started_at = run.started_at, .id = run.id};
                                body(run, labels);
                              });
  });
  return has_more ? std::optional{last} : std::nullopt;
}

void ExecutionService::active(const Body& body) {
  control_.context().database.read([&](Session& session) {
    // Whoever waits now and runs a moment later is shown twice rather than not at all.
    for (const char* status : {"Pending", "Running"})
      ExecutionListStore{}.list(session, {.status = status}, {.limit = 500}, body);
  });
}

void ExecutionService::ended_since(TimeMs time, const Body& body) {
  control_.context().database.read([&](Session& session) {
    ExecutionListStore{}.ended_since(session, std::max<TimeMs>(1, time), 1000, body);
  });
}

std::vector<LogEntry> ExecutionService::logs(const std::string& id, int64_t after, int64_t limit) {
  std::vector<LogEntry> out;
  control_.context().database.read(
      [&](Session& session) { out = ExecutionStore{}.logs(session, id, after, limit); });
  return out;
}

bool ExecutionService::has_ended(const std::string& id) {
  bool out = false;
  visit(id, /*with_logs=*/false, [&](const Execution& run, const std::string&, const auto&) {
    out = run.ended_at.has_value();
  });
  return out;
}

int64_t ExecutionService::count(const ExecutionFilter& filter) {
  const auto counted = [&](int64_t most) {
    int64_t count = 0;
    control_.context().database.read(
        [&](Session& session) { count = ExecutionListStore{}.count(session, filter, most); });
    return count;
  };
  Json key{filter.job_id, filter.status, filter.type, filter.from.value_or(-1),
           filter.before.value_or(-1)};
  for (const auto& [name, value] : filter.labels) key.push_back({name, value});
  return counted_or_kept(totals_, dump_json(key), counted);
}

std::vector<Execution> ExecutionService::history() {
  std::vector<Execution> rows;
  control_.context().database.read(
      [&](Session& session) { rows = ExecutionStore{}.newest(session, 100); });
  return rows;
}

}  // namespace dbackup::host
