#include <algorithm>

#include "api/render.hpp"
#include "base/json_writer.hpp"
#include "model/backup_name.hpp"
#include "services/execution_service.hpp"
#include "services/storage_service.hpp"

namespace dbackup::host::render {
namespace {

bool has_reason(const std::string& status) {
  return status == "Failed" || status == "Partial" || status == "Cancelled";
}

void write_date(JsonWriter& out, std::string_view name, const std::optional<TimeMs>& time) {
  out.key(name);
  if (time) {
    out.text(format_iso8601(*time));
  } else {
    out.null();
  }
}

void write_log_entry(JsonWriter& out, const LogEntry& entry) {
  out.begin_object();
  out.key("index").number(entry.seq);
  out.key("timestamp").text(format_iso8601(entry.at));
  out.key("level").text(entry.level).key("type").text(entry.type);
  out.key("message").text(entry.message);
  if (!entry.stage.empty()) out.key("stage").text(entry.stage);
  if (!entry.details.empty()) out.key("details").text(entry.details);
  if (entry.duration_ms) out.key("durationMs").number(*entry.duration_ms);
  out.end_object();
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

std::string execution_text(const Execution& run, const std::string& labels,
                           const std::vector<LogEntry>* logs, TimeMs now) {
  const bool has_job = !run.job_id.empty();
  JsonWriter out;
  out.begin_object();
  out.key("id").text(run.id);
  out.key("jobId").text_or_null(run.job_id);
  out.key("jobName").text_or_null(has_job ? std::string_view{run.job_name} : "");
  out.key("type").text(run.type).key("status").text(run.status);
  out.key("progress").number(run.progress).key("stage").text_or_null(run.stage);
  write_date(out, "startedAt", run.started_at);
  write_date(out, "endedAt", run.ended_at);
  out.key("duration").number(std::max<TimeMs>(0, run.ended_at.value_or(now) - run.started_at));
  out.key("size");
  if (run.size > 0) {
    out.number(run.size);
  } else {
    out.null();
  }
  out.key("path").text_or_null(run.path);
  out.key("error").text_or_null(has_reason(run.status) ? std::string_view{run.error} : "");
  if (!run.detail.empty()) out.key("detail").text(run.detail);
  if (labels.size() > 2) out.key("labels").raw(labels);  // more than "{}"
  if (logs != nullptr) {
    out.key("logs").begin_array();
    for (const LogEntry& entry : *logs) write_log_entry(out, entry);
    out.end_array();
  }
  out.end_object();
  return out.take();
}

std::string log_entry_text(const LogEntry& entry) {
  JsonWriter out;
  write_log_entry(out, entry);
  return out.take();
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
