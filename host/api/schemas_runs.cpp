#include <cstdint>

#include "api/bulk_body.hpp"
#include "api/page.hpp"
#include "api/schemas.hpp"

/// Schemas of jobs, executions and stored backups.
namespace dbackup::host::schemas {

using namespace schema;

namespace {
Json destination_fields() {
  return titled("JobDestinationFields", object({required("configId", text(1, 100)),
                                                optional("priority", integer(0, 10'000)),
                                                optional("retention", nullable(any_object())),
                                                optional("retentionPolicyId", nullable(text()))}));
}
Json source_fields() {
  return titled("JobSourceFields",
                object({required("configId", text(1, 100)), required("path", text(1, 4096)),
                        optional("priority", integer(0, 10'000)),
                        optional("excludePatterns", list_of(text())),
                        optional("excludePatternPresetIds", list_of(text())),
                        optional("stopContainers", any())}));
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
Json label_query() {
  return described(text(1, 400), "name=value; may be given more than once, and all must fit");
}
Json labels() {
  return described(map_of(text(0, 256)), "kept with the run and in the side file of the backup");
}
Json job_destination() {
  return titled(
      "JobDestination",
      object({required("id", text()), required("jobId", text()), required("configId", text()),
              required("priority", integer()),
              required("retention", described(text(), "JSON as text; {} is none")),
              required("retentionPolicyId", nullable(text())), required("createdAt", date()),
              required("updatedAt", date()), required("config", nullable(adapter()))}));
}
Json job_source() {
  return titled("JobSource",
                object({required("id", text()), required("jobId", text()),
                        required("configId", text()), required("priority", integer()),
                        required("path", text()), required("excludePatterns", list_of(text())),
                        required("excludePatternPresetIds", list_of(text())),
                        required("stopContainers", flag()), required("useStagingCache", flag()),
                        required("createdAt", date()), required("updatedAt", date()),
                        required("config", nullable(adapter()))}));
}
Json job_notification_template() {
  const Json channel = object({required("id", text()), required("templateId", text()),
                               required("configId", text()), required("events", text()),
                               required("config", nullable(adapter()))});
  const Json row = titled(
      "JobNotificationTemplateRow",
      object({required("id", text()), required("name", text()),
              required("description", nullable(text())), required("isDefault", flag()),
              required("createdAt", date()), required("updatedAt", date()),
              required("channels", list_of(channel))}));
  return titled("JobNotificationTemplate",
                object({required("id", text()), required("jobId", text()),
                        required("templateId", text()), required("priority", integer()),
                        required("template", row)}));
}
Json named() { return object({required("id", text()), required("name", text())}); }
Json status() {
  return one_of({"Pending", "Running", "Success", "Partial", "Failed", "Cancelled"});
}
Json log_entry() {
  return titled("LogEntry",
                object({required("index", described(integer(), "of the line in its run, from 1")),
                        required("timestamp", date()), required("level", one_of({"info", "success", "warning", "error"})),
                        required("type", one_of({"general", "command", "storage", "security"})),
                        required("message", text()), optional("stage", text()),
                        optional("details", text()), optional("durationMs", integer())}));
}
Json execution_type() {
  return one_of({"Backup", "Restore", "Verification", "IntegrityCheck", "System Restore"});
}
Json execution_detail() {
  return titled(
      "Execution",
      object({required("id", text()), required("jobId", nullable(text())),
              required("jobName", nullable(text())), required("type", execution_type()),
              required("status", status()), required("progress", nullable(number())),
              required("stage", nullable(text())), required("startedAt", date()),
              required("endedAt", nullable(date())),
              required("duration", described(integer(), "milliseconds")),
              required("size", nullable(integer())), required("path", nullable(text())),
              required("error", nullable(text())), optional("detail", text()),
              optional("labels", labels()), optional("logs", list_of(log_entry()))}));
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
  return titled("Job",
                object({required("id", text()),
                        required("name", text()),
                        required("schedule", text()),
                        required("enabled", flag()),
                        required("sourceId", nullable(text())),
                        required("source", nullable(adapter())),
                        required("databases", described(text(), "JSON array as text")),
                        required("compression", text()),
                        required("pgCompression", text()),
                        required("encryptionProfileId", nullable(text())),
                        required("encryptionProfile", nullable(named())),
                        required("namingTemplateId", nullable(text())),
                        required("schedulePresetId", nullable(text())),
                        required("schedulePreset",
                                 nullable(merged(named(), object({required("schedule", text())})))),
                        required("notificationEvents", text()),
                        required("notifications", list_of(adapter())),
                        required("notificationTemplates", list_of(job_notification_template())),
                        required("skipVerification", flag()),
                        required("backupMode", text()),
                        required("fullEveryDays", integer()),
                        required("verifyByHash", flag()),
                        required("destinations", list_of(job_destination())),
                        required("sources", list_of(job_source())),
                        required("createdAt", date()),
                        required("updatedAt", date()),
                        required("lastRunAt", nullable(date())),
                        required("nextRunAt", nullable(date())),
                        required("executions", list_of(object({required("startedAt", date()),
                                                               required("status", status())})))}));
}
Json job_list() { return list_of(job()); }
Json jobs_query() {
  return merged(object({optional("search", described(text(0, 100), "part of the name")),
                        optional("enabled", one_of({"true", "false"}))}),
                page_query());
}
Json job_clone() { return object({optional("name", nullable(text(1, 100)))}); }
Json jobs_bulk() { return bulk_request({"delete", "enable", "disable"}); }
Json run_job() { return object({optional("lock", flag()), optional("labels", labels())}); }
Json run_answer() {
  return titled("RunAnswer", object({required("success", flag()), required("executionId", text()),
                                     required("message", text())}));
}

Json run_job_answer() {
  return titled("RunJobAnswer",
                object({required("success", flag()), required("executionId", text()),
                        required("message", text()),
                        optional("data", described(execution_detail(), "with wait: how it goes"))}));
}
Json execution() { return wrapped(execution_detail()); }
Json execution_page() {
  return merged(paged(execution_detail()),
                object({required("nextCursor",
                                 described(nullable(text()), "null: this is the last page"))}));
}
Json history() {
  const Json run =
      object({required("id", text()), required("jobId", nullable(text())), required("type", text()),
              required("status", status()), required("startedAt", date()),
              required("endedAt", nullable(date())), required("path", nullable(text())),
              required("metadata", described(nullable(text()), "JSON as text")),
              required("triggerType", nullable(text())), required("triggerLabel", nullable(text())),
              required("job", nullable(object({required("name", text())})))});
  return object({required("executions", list_of(run)), required("systemTimezone", text())});
}
Json cancel_answer() { return object({required("success", flag()), required("message", text())}); }

Json stored_file() {
  return titled(
      "StoredFile",
      object({required("name", text()),
              required("path", text()),
              required("size", integer()),
              required("lastModified", date()),
              required("isEncrypted", flag()),
              optional("jobName", text()),
              optional("sourceName", text()),
              optional("sourceType", text()),
              optional("engineVersion", text()),
              optional("engineEdition", text()),
              optional("executionId", text()),
              optional("jobId", text()),
              optional("dbInfo", object({required("count", integer()), required("label", text())})),
              optional("encryptionProfileId", text()),
              optional("compression", text()),
              optional("locked", flag()),
              optional("trigger", object({required("type", text()), optional("actor", text())})),
              optional("checksum", text()),
              optional("checksumMd5", text()),
              optional("backupType", text()),
              optional("labels", labels()),
              optional("signature", one_of({"signed", "unsigned", "tampered"})),
              optional("verification",
                       object({required("verifiedAt", text()), required("passed", flag()),
                               required("trigger", text())}))}));
}
Json stored_files() { return list_of(stored_file()); }
Json wait_query() {
  return object({optional(
      "wait", described(integer(0, 300),
                        "seconds: answer when the run has ended, and at the latest after so long"))});
}
Json execution_query() {
  return merged(object({optional("includeLogs", described(flag(), "adds the log"))}), wait_query());
}
Json logs_query() {
  return object({optional("after", described(integer(0, INT64_MAX), "index of the last line known")),
                 optional("limit", described(integer(1, 1000), "lines; 500 when not given")),
                 optional("format", described(one_of({"json", "text"}),
                                              "text: for passing on, without addresses and "
                                              "credentials; X-Next-Index is what to ask for after"))});
}
Json logs() {
  return object({required("success", flag()), required("data", list_of(log_entry())),
                 required("next", described(integer(), "what to ask for after")),
                 required("status", status())});
}
Json events_query() {
  return object({optional("after", described(integer(0, INT64_MAX),
                                             "index of the last line known; Last-Event-ID wins"))});
}
Json executions_query() {
  return merged(
      object({optional("jobId", text(1, 100)), optional("status", status()),
              optional("type", execution_type()),
              optional("from", described(date(), "started at or after")),
              optional("to", described(date(), "started before")), optional("label", label_query()),
              optional("cursor", described(text(1, 1000),
                                           "nextCursor of the answer before; not together with page"))}),
      page_query());
}
Json files_query() {
  return merged(object({optional("typeFilter", described(text(), "BACKUP or SYSTEM; else all")),
                        optional("refresh", described(flag(), "look at the destination itself")),
                        optional("jobId", text(1, 100)), optional("jobName", text(1, 200)),
                        optional("label", label_query())}),
                page_query());
}
Json latest_query() { return object({optional("jobId", text()), optional("jobName", text())}); }
Json download_query() {
  return object({optional("file", text(1, 4096)),
                 optional("token", described(text(1, 200), "of a prepared download; instead of file")),
                 optional("decrypt", described(flag(), "unsealed, still compressed")),
                 optional("profileIdOverride", text())});
}
Json public_download_query() { return object({required("token", text())}); }
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
       optional("identity", described(nullable(text()), "an age identity, never stored"))});
}
Json restore_answer() { return run_answer(); }
Json verification() {
  return wrapped(object({required("status", one_of({"passed", "failed", "no_metadata",
                                                    "no_checksum", "download_error"})),
                         optional("expectedChecksum", text()), optional("actualChecksum", text()),
                         optional("error", text()), required("verifiedAt", date())}));
}

}  // namespace dbackup::host::schemas
