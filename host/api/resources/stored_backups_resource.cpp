#include "api/resources/stored_backups_resource.hpp"

#include "api/bulk_body.hpp"
#include "api/download_answer.hpp"
#include "api/schemas.hpp"
#include "services/backup_path_rules.hpp"
#include "services/rights.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

constexpr int kContentFailures[] = {400, 404, 422, 500, 501, 503, 504};
constexpr int kPreparedFailures[] = {206, 304, 400, 404, 416, 422, 500, 501, 503, 504};
constexpr int kGone[] = {400, 404, 410};
constexpr BulkWords kDeleteWords{"backup", "backups", "delete", "deleted"};
constexpr BulkWords kLockWords{"backup", "backups", "lock", "locked"};
constexpr BulkWords kUnlockWords{"backup", "backups", "unlock", "unlocked"};

Json change_many() { return schemas::bulk_request({"delete", "lock", "unlock"}, "paths"); }
Json token_query() { return schema::object({schema::optional("token", schema::text(1, 200))}); }

std::string text_or_empty(const Json& body, const char* key) {
  return get_string(body, key).value_or("");
}

}  // namespace

const Route<StoredBackupsResource> StoredBackupsResource::kRoutes[] = {
    {.method = Method::Post,
     .path = "/api/storage/{id}/files/bulk",
     .access = Permission::StorageDelete,
     .handler = &StoredBackupsResource::bulk,
     .summary = "Delete, lock or unlock up to 200 backups",
     .section = "Storage",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = change_many,
     .response = schemas::bulk_answer,
     .failures = kMissingOrBad},
    {.method = Method::Put,
     .path = "/api/storage/{id}/files/lock",
     .access = Permission::StorageDelete,
     .handler = &StoredBackupsResource::lock,
     .summary = "Lock a backup against deletion and retention, or unlock it",
     .section = "Storage",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::lock_file,
     .response = schema::success_answer,
     .failures = kWorkerFailures},
    {.method = Method::Post,
     .path = "/api/storage/{id}/download",
     .access = Permission::StorageDownload,
     .handler = &StoredBackupsResource::download,
     .summary = "A backup's bytes unsealed, with a key given here; or a token for them",
     .section = "Storage",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::prepared_download,
     .response = schemas::prepared_download_answer,
     .failures = kPreparedFailures,
     .produces = "application/octet-stream"},
    {.method = Method::Post,
     .path = "/api/storage/{id}/verify-async",
     .access = Permission::StorageRead,
     .handler = &StoredBackupsResource::verify_async,
     .summary = "Start reading a backup whole and comparing its hash; follow the execution",
     .section = "Storage",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::file_body,
     .response = schemas::run_answer,
     .failures = kWorkerFailures,
     .idempotent = true},
    {.method = Method::Post,
     .path = "/api/storage/{id}/analyze",
     .access = Permission::StorageRestore,
     .handler = &StoredBackupsResource::analyze,
     .summary = "What a backup holds",
     .section = "Storage",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::analyze,
     .response = schemas::analyze_answer,
     .failures = kContentFailures},
    {.method = Method::Post,
     .path = "/api/storage/{id}/browse-archive",
     .access = Permission::StorageRestore,
     .handler = &StoredBackupsResource::browse_archive,
     .summary = "Files inside a backup of folders; this version writes none, so 400 says so",
     .section = "Storage",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::browse_archive,
     .response = schema::success_answer,
     .failures = kContentFailures},
    {.method = Method::Post,
     .path = "/api/storage/{id}/restore-files",
     .access = Access::either(Permission::StorageDownload, Permission::StorageRestore),
     .handler = &StoredBackupsResource::restore_files,
     .summary = "Restore files of a backup of folders; this version writes none, so 400 says so",
     .section = "Storage",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::restore_files,
     .response = schema::success_answer,
     .failures = kContentFailures},
    {.method = Method::Get,
     .path = "/api/storage/{id}/restore-files",
     .access = Permission::StorageDownload,
     .handler = &StoredBackupsResource::restored_files,
     .summary = "A prepared selection of files (token=)",
     .section = "Storage",
     .query = token_query,
     .response = schema::success_answer,
     .failures = kGone},
    {.method = Method::Post,
     .path = "/api/storage/{id}/check-path",
     .access = Permission::StorageRestore,
     .handler = &StoredBackupsResource::check_path,
     .summary = "Whether a folder of a storage holds anything",
     .section = "Storage",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::path_body,
     .response = schemas::check_path_answer,
     .failures = kContentFailures},
    {.method = Method::Get,
     .path = "/api/storage/{id}/alerts",
     .access = Permission::StorageRead,
     .handler = &StoredBackupsResource::alerts,
     .summary = "When to warn about a storage",
     .section = "Storage",
     .response = schemas::alerts_answer,
     .failures = kMissingOrBad,
     .etag = true},
    {.method = Method::Put,
     .path = "/api/storage/{id}/alerts",
     .access = Permission::SettingsWrite,
     .handler = &StoredBackupsResource::set_alerts,
     .summary = "Change when to warn about a storage; what is left out stays",
     .section = "Storage",
     .body = BodyRule::Required,
     .request = schemas::alerts_update,
     .response = schemas::alerts_answer,
     .failures = kMissingOrBad,
     .etag = true},
};

void StoredBackupsResource::mount(RouteTable& table) {
  table.mount<StoredBackupsResource>(*this, kRoutes);
}

HttpResponse StoredBackupsResource::bulk(const ApiRequest& request, const Principal& who) {
  const BulkCommand command = parse_bulk(request.body, "paths");
  using Action = StorageService::BulkAction;
  const auto run = [&](Action chosen, const BulkWords& words) {
    const auto outcome = services_.storage.bulk(who, request.param(), chosen, command.entries);
    return json_answer(200, render::bulk(outcome, words));
  };
  if (command.action == "delete") return run(Action::Delete, kDeleteWords);
  if (command.action == "lock") return run(Action::Lock, kLockWords);
  return run(Action::Unlock, kUnlockWords);
}

HttpResponse StoredBackupsResource::lock(const ApiRequest& request, const Principal& who) {
  services_.storage.set_locked(who, request.param(), require_string(request.body, "path"),
                               get_bool(request.body, "locked").value_or(false));
  return json_answer(200, {{"success", true}});
}

HttpResponse StoredBackupsResource::download(const ApiRequest& request, const Principal& who) {
  const Json& body = request.body;
  if (!text_or_empty(body, "rawKeyHex").empty()) {
    throw Error(ErrorCode::Unimplemented,
                "\"rawKeyHex\": backups in the older format cannot be opened by this version");
  }
  DownloadGrant grant{.destination_id = request.param(),
                      .path = require_string(body, "file"),
                      .unseal = true,
                      .profile_override = text_or_empty(body, "profileIdOverride")};
  grant.identity = SecretString{text_or_empty(body, "identity")};
  if (get_bool(body, "prepare").value_or(false)) {
    const SecretString token = services_.downloads.prepare(who, std::move(grant));
    return secret_answer(200,
                         {{"success", true}, {"data", {{"token", std::string{token.reveal()}}}}});
  }
  DownloadAnswer answer =
      download_answer(request.http, services_.downloads, services_.downloads.plan(grant));
  services_.downloads.note(who, grant);
  return std::move(answer.response);
}

HttpResponse StoredBackupsResource::verify_async(const ApiRequest& request, const Principal& who) {
  const std::string id = services_.storage.start_verification(who, request.param(),
                                                              require_string(request.body, "file"));
  return json_answer(200,
                     {{"success", true}, {"executionId", id}, {"message", "Verification queued"}});
}

HttpResponse StoredBackupsResource::analyze(const ApiRequest& request, const Principal&) {
  const auto contents =
      services_.storage.analyze(request.param(), require_string(request.body, "file"),
                                text_or_empty(request.body, "profileIdOverride"));
  Json out{{"databases", contents.databases}};
  const std::string type =
      contents.source_type.empty() ? text_or_empty(request.body, "type") : contents.source_type;
  if (!type.empty()) out["sourceType"] = type;
  return json_answer(200, out);
}

HttpResponse StoredBackupsResource::browse_archive(const ApiRequest& request, const Principal&) {
  services_.storage.require_file_index(request.param(), require_string(request.body, "file"));
  return json_answer(200, {{"success", true}});
}

HttpResponse StoredBackupsResource::restore_files(const ApiRequest& request, const Principal& who) {
  const bool is_download = require_string(request.body.at("target"), "kind") == "download";
  require(who, is_download ? Permission::StorageDownload : Permission::StorageRestore);
  services_.storage.require_file_index(request.param(), require_string(request.body, "file"));
  return json_answer(200, {{"success", true}});
}

HttpResponse StoredBackupsResource::restored_files(const ApiRequest& request, const Principal&) {
  require_storage(services_.control, request.param());
  // No backup of this version has an index of files, so no selection was ever prepared.
  throw Error(ErrorCode::NotFound, "the prepared selection has expired or was never made", {},
              "expired");
}

HttpResponse StoredBackupsResource::check_path(const ApiRequest& request, const Principal&) {
  std::string path = require_string(request.body, "path");
  while (path.ends_with('/')) path.pop_back();
  if (!path.empty()) check_backup_path(path);
  const auto count = services_.storage.count_below(request.param(), path);
  if (!count) return json_answer(200, {{"status", "unverified"}});
  return json_answer(200, {{"status", *count > 0 ? "occupied" : "empty"}, {"itemCount", *count}});
}

HttpResponse StoredBackupsResource::alerts(const ApiRequest& request, const Principal&) {
  return json_answer(200, {{"success", true}, {"data", services_.storage.alerts(request.param())}});
}

HttpResponse StoredBackupsResource::set_alerts(const ApiRequest& request, const Principal& who) {
  return json_answer(200,
                     {{"success", true},
                      {"data", services_.storage.set_alerts(who, request.param(), request.body)}});
}

}  // namespace dbackup::host
