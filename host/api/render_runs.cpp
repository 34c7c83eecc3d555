#include <algorithm>

#include "api/render.hpp"
#include "model/backup_name.hpp"
#include "services/execution_service.hpp"
#include "services/storage_service.hpp"

namespace dbackup::host::render {
namespace {

bool has_reason(const std::string& status) {
  return status == "Failed" || status == "Partial" || status == "Cancelled";
}

Json log_entry(const LogEntry& entry) {
  Json out{{"timestamp", format_iso8601(entry.at)},
           {"level", entry.level},
           {"type", entry.type},
           {"message", entry.message}};
  if (!entry.stage.empty()) out["stage"] = entry.stage;
  if (!entry.details.empty()) out["details"] = entry.details;
  if (entry.duration_ms) out["durationMs"] = *entry.duration_ms;
  return out;
}

void add_text(Json& out, const char* key, const std::string& text) {
  if (!text.empty()) out[key] = text;
}

Json database_info(const Sidecar& sidecar) {
  std::string label = std::to_string(sidecar.database_count) + " databases";
  if (sidecar.database_count == 1) {
    label = sidecar.database_names.empty() ? "1 database" : sidecar.database_names.front();
  }
  return {{"count", sidecar.database_count}, {"label", std::move(label)}};
}

void add_sidecar(Json& out, const Sidecar& sidecar) {
  add_text(out, "sourceName", sidecar.source_name);
  add_text(out, "engineVersion", sidecar.engine_version);
  add_text(out, "engineEdition", sidecar.engine_edition);
  add_text(out, "checksum", sidecar.checksum);
  add_text(out, "checksumMd5", sidecar.checksum_md5);
  add_text(out, "executionId", sidecar.execution_id);
  add_text(out, "jobId", sidecar.job_id);
  if (sidecar.encryption) add_text(out, "encryptionProfileId", sidecar.encryption->profile_id);
  if (sidecar.database_count > 0) out["dbInfo"] = database_info(sidecar);
  if (!sidecar.labels.empty()) out["labels"] = sidecar.labels;
  out["backupType"] = sidecar.backup_type;
  if (sidecar.trigger) {
    out["trigger"] = {{"type", sidecar.trigger->type}};
    if (sidecar.trigger->actor) out["trigger"]["actor"] = *sidecar.trigger->actor;
  }
  if (sidecar.verification) {
    out["verification"] = {{"verifiedAt", sidecar.verification->verified_at},
                           {"passed", sidecar.verification->passed},
                           {"trigger", sidecar.verification->trigger}};
  }
}

}  // namespace

Json execution(const ExecutionView& view, bool with_logs, TimeMs now) {
  const Execution& run = view.execution;
  const TimeMs until = run.ended_at.value_or(now);
  Json out{{"id", run.id},
           {"jobId", text_or_null(run.job_id)},
           {"jobName", run.job_id.empty() ? Json{} : text_or_null(run.job_name)},
           {"type", run.type},
           {"status", run.status},
           {"progress", run.progress},
           {"stage", text_or_null(run.stage)},
           {"startedAt", format_iso8601(run.started_at)},
           {"endedAt", date_or_null(run.ended_at)},
           {"duration", std::max<TimeMs>(0, until - run.started_at)},
           {"size", run.size > 0 ? Json(run.size) : Json{}},
           {"path", text_or_null(run.path)},
           {"error", has_reason(run.status) ? text_or_null(run.error) : Json{}}};
  if (!run.detail.empty()) out["detail"] = run.detail;
  if (run.labels.is_object() && !run.labels.empty()) out["labels"] = run.labels;
  if (with_logs) {
    Json logs = Json::array();
    for (const auto& entry : view.logs) logs.push_back(log_entry(entry));
    out["logs"] = std::move(logs);
  }
  return out;
}

Json history_item(const Execution& run) {
  const bool has_metadata = run.metadata.is_object() && !run.metadata.empty();
  return {{"id", run.id},
          {"jobId", text_or_null(run.job_id)},
          {"type", run.type},
          {"status", run.status},
          {"startedAt", format_iso8601(run.started_at)},
          {"endedAt", date_or_null(run.ended_at)},
          {"path", text_or_null(run.path)},
          {"metadata", has_metadata ? Json(dump_json(run.metadata)) : Json{}},
          {"triggerType", text_or_null(run.trigger_type)},
          {"triggerLabel", text_or_null(run.trigger_label)},
          {"job", run.job_id.empty() ? Json{} : Json{{"name", run.job_name}}}};
}

Json stored_file(const StoredFileView& file) {
  const StoredBackup& backup = file.backup;
  Json out{{"name", std::string{base_name(backup.path)}},
           {"path", backup.path},
           {"size", backup.size},
           {"lastModified", format_iso8601(backup.modified_at)},
           {"isEncrypted", file.is_sealed},
           {"sourceType", file.sidecar.source_type.empty() ? "unknown" : file.sidecar.source_type},
           {"signature", backup.signature}};
  add_text(out, "jobName", file.job_name);
  add_text(out, "compression", file.compression);
  if (file.has_sidecar) add_sidecar(out, file.sidecar);
  if (file.has_sidecar || file.is_locked) out["locked"] = file.is_locked;
  return out;
}

}  // namespace dbackup::host::render
