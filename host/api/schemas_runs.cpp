#include "api/schemas.hpp"

/// Schemas of jobs, executions and stored backups.
namespace dbackup::host::schemas {

using namespace schema;

namespace {
Json destination_fields() {
  return object({required("configId", text(1, 100)), optional("priority", integer(0, 10'000)),
                 optional("retention", nullable(any_object())),
                 optional("retentionPolicyId", nullable(text()))});
}
Json source_fields() {
  return object(
      {required("configId", text(1, 100)), required("path", text(1, 4096)),
       optional("priority", integer(0, 10'000)), optional("excludePatterns", list_of(text())),
       optional("excludePatternPresetIds", list_of(text())), optional("stopContainers", any())});
}
Json optional_job_fields() {
  return object(
      {optional("sourceId", nullable(text())),
       optional("sources", nullable(list_of(source_fields()))),
       optional("databases", described(any(), "array of names; empty: all")),
       optional("enabled", flag()), optional("encryptionProfileId", nullable(text())),
       optional("compression", one_of({"NONE", "GZIP", "BROTLI", "ZSTD"})),
       optional("pgCompression", nullable(text())), optional("notificationIds", list_of(text())),
       optional("notificationEvents", text()), optional("notificationTemplateIds", list_of(text())),
       optional("namingTemplateId", nullable(text())),
       optional("schedulePresetId", nullable(text())), optional("skipVerification", flag()),
       optional("backupMode", one_of({"FULL", "INCREMENTAL"})),
       optional("fullEveryDays", integer(1, 365)), optional("verifyByHash", flag())});
}
Json labels() {
  return described(map_of(text(0, 256)), "kept with the run and in the side file of the backup");
}
}  // namespace

Json job_create() {
  return merged(object({required("name", text(1, 100)), required("schedule", text(1, 200)),
                        required("destinations", list_of(destination_fields(), 1))}),
                optional_job_fields());
}
Json job_update() {
  return merged(object({optional("name", text(1, 100)), optional("schedule", text(1, 200)),
                        optional("destinations", list_of(destination_fields(), 1))}),
                optional_job_fields());
}
Json job() {
  return object({required("id", text()),
                 required("name", text()),
                 required("schedule", text()),
                 required("enabled", flag()),
                 required("sourceId", nullable(text())),
                 required("source", nullable(adapter())),
                 required("databases", described(text(), "JSON array as text")),
                 required("compression", text()),
                 required("pgCompression", text()),
                 required("encryptionProfileId", nullable(text())),
                 required("encryptionProfile", nullable(any_object())),
                 required("namingTemplateId", nullable(text())),
                 required("schedulePresetId", nullable(text())),
                 required("schedulePreset", nullable(any_object())),
                 required("notificationEvents", text()),
                 required("notifications", list_of(adapter())),
                 required("notificationTemplates", list_of(any_object())),
                 required("skipVerification", flag()),
                 required("backupMode", text()),
                 required("fullEveryDays", integer()),
                 required("verifyByHash", flag()),
                 required("destinations", list_of(any_object())),
                 required("sources", list_of(any_object())),
                 required("createdAt", date()),
                 required("updatedAt", date()),
                 required("lastRunAt", nullable(date())),
                 required("nextRunAt", nullable(date())),
                 required("executions", list_of(any_object()))});
}
Json job_list() { return list_of(job()); }
Json run_job() { return object({optional("lock", flag()), optional("labels", labels())}); }
Json run_answer() {
  return object(
      {required("success", flag()), required("executionId", text()), required("message", text())});
}

Json execution() {
  return wrapped(object(
      {required("id", text()), required("jobId", nullable(text())),
       required("jobName", nullable(text())),
       required("type",
                one_of({"Backup", "Restore", "Verification", "IntegrityCheck", "System Restore"})),
       required("status",
                one_of({"Pending", "Running", "Success", "Partial", "Failed", "Cancelled"})),
       required("progress", nullable(number())), required("stage", nullable(text())),
       required("startedAt", date()), required("endedAt", nullable(date())),
       required("duration", described(integer(), "milliseconds")),
       required("size", nullable(integer())), required("path", nullable(text())),
       required("error", nullable(text())), optional("detail", text()),
       optional("labels", labels()), optional("logs", list_of(any_object()))}));
}
Json history() {
  return object(
      {required("executions", list_of(any_object())), required("systemTimezone", text())});
}
Json cancel_answer() { return object({required("success", flag()), required("message", text())}); }

Json stored_file() {
  return object({required("name", text()), required("path", text()), required("size", integer()),
                 required("lastModified", date()), required("isEncrypted", flag()),
                 optional("jobName", text()), optional("sourceName", text()),
                 optional("sourceType", text()), optional("engineVersion", text()),
                 optional("dbInfo", any_object()), optional("encryptionProfileId", text()),
                 optional("compression", text()), optional("locked", flag()),
                 optional("trigger", any_object()), optional("checksum", text()),
                 optional("backupType", text()), optional("labels", labels()),
                 optional("signature", one_of({"signed", "unsigned", "tampered"})),
                 optional("verification", any_object())});
}
Json stored_files() { return list_of(stored_file()); }
Json path_body() { return object({required("path", text(1, 4096))}); }
Json file_body() { return object({required("file", text(1, 4096))}); }
Json download_url() {
  return object({required("file", text(1, 4096)), optional("decrypt", flag()),
                 optional("profileIdOverride", nullable(text()))});
}
Json download_url_answer() {
  return object({required("success", flag()), required("url", text()),
                 required("expiresIn", text()), required("singleUse", flag())});
}
Json restore() {
  const Json pair = object({required("originalName", text(1, 1024)), optional("targetName", text()),
                            optional("selected", flag())});
  return object(
      {required("file", text(1, 4096)), optional("scope", text()),
       optional("targetSourceId", nullable(text())),
       optional("targetDatabaseName", nullable(text())),
       optional("databaseMapping", nullable(either({list_of(pair), map_of(text())}))),
       optional("directoryMapping", nullable(list_of(any_object()))),
       optional("excludePatterns", list_of(text())),
       optional("privilegedAuth", nullable(object({optional("user", nullable(text())),
                                                   optional("password", nullable(text()))}))),
       optional("profileIdOverride", nullable(text())),
       optional("identity", described(nullable(text()), "AGE-SECRET-KEY-1…, never stored"))});
}
Json restore_answer() { return run_answer(); }
Json verification() {
  return wrapped(object({required("status", one_of({"passed", "failed", "no_metadata",
                                                    "no_checksum", "download_error"})),
                         optional("expectedChecksum", text()), optional("actualChecksum", text()),
                         optional("error", text()), required("verifiedAt", date())}));
}

}  // namespace dbackup::host::schemas
