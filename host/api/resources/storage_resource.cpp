#include "api/resources/storage_resource.hpp"

#include "api/cursor.hpp"
#include "api/download_answer.hpp"
#include "api/page.hpp"
#include "api/public_address.hpp"
#include "api/render.hpp"
#include "api/resources/restore_body.hpp"
#include "api/schemas.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {
constexpr int kDownloadFailures[] = {206, 304, 400, 404, 410, 416, 422, 503};
constexpr int kPublicFailures[] = {206, 304, 400, 401, 404, 416, 422, 503};
constexpr int kDeleteFailures[] = {400, 404, 409, 503};
}  // namespace

const Route<StorageResource> StorageResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/storage/{id}/files",
     .access = Permission::StorageRead,
     .handler = &StorageResource::files,
     .summary = "Backups at a destination, newest first",
     .section = "Storage",
     .run = HttpRun::Slow,
     .query = schemas::files_query,
     .response = schemas::stored_files,
     .failures = kWorkerFailures},
    {.method = Method::Delete,
     .path = "/api/storage/{id}/files",
     .access = Permission::StorageDelete,
     .handler = &StorageResource::remove,
     .summary = "Delete one backup and its side files",
     .section = "Storage",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::remove_file,
     .response = schema::success_answer,
     .failures = kDeleteFailures},
    {.method = Method::Get,
     .path = "/api/storage/{id}/files/latest",
     .access = Permission::StorageRead,
     .handler = &StorageResource::latest,
     .summary = "The newest backup, of one job when asked for",
     .section = "Storage",
     .run = HttpRun::Slow,
     .query = schemas::latest_query,
     .response = schemas::stored_file,
     .failures = kWorkerFailures},
    {.method = Method::Get,
     .path = "/api/storage/{id}/download",
     .access = Permission::StorageDownload,
     .handler = &StorageResource::download,
     .summary = "A backup's bytes; ranges work",
     .section = "Storage",
     .run = HttpRun::Slow,
     .query = schemas::download_query,
     .failures = kDownloadFailures,
     .produces = "application/octet-stream"},
    {.method = Method::Post,
     .path = "/api/storage/{id}/download-url",
     .access = Permission::StorageDownload,
     .handler = &StorageResource::download_url,
     .summary = "A link that works once, for five minutes, without credentials",
     .section = "Storage",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::download_url,
     .response = schemas::download_url_answer,
     .failures = kWorkerFailures},
    {.method = Method::Get,
     .path = "/api/storage/public-download",
     .access = Access::anyone(),
     .handler = &StorageResource::public_download,
     .summary = "What a link to a download points to",
     .section = "Storage",
     .run = HttpRun::Slow,
     .query = schemas::public_download_query,
     .failures = kPublicFailures,
     .produces = "application/octet-stream"},
    {.method = Method::Post,
     .path = "/api/storage/{id}/restore",
     .access = Permission::StorageRestore,
     .handler = &StorageResource::restore,
     .summary = "Restore a backup into a database",
     .section = "Storage",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::restore,
     .response = schemas::restore_answer,
     .success = 202,
     .failures = kWorkerFailures,
     .idempotent = true},
    {.method = Method::Post,
     .path = "/api/storage/{id}/verify",
     .access = Permission::StorageRead,
     .handler = &StorageResource::verify,
     .summary = "Read a backup whole and compare its hash",
     .section = "Storage",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::file_body,
     .response = schemas::verification,
     .failures = kWorkerFailures},
};

void StorageResource::mount(RouteTable& table) { table.mount<StorageResource>(*this, kRoutes); }

HttpResponse StorageResource::files(const ApiRequest& request, const Principal&) {
  StorageService::ListOptions options{.refresh = request.flag("refresh")};
  const std::string filter = request.query("typeFilter");
  if (filter == "BACKUP") options.filter = StorageService::TypeFilter::Backup;
  if (filter == "SYSTEM") options.filter = StorageService::TypeFilter::System;
  options.which = {.job_id = request.query("jobId"),
                   .job_name = request.query("jobName"),
                   .labels = labels_of(request)};
  // Without either parameter all of them: that is what clients know.
  if (!request.query("page").empty() || !request.query("pageSize").empty()) {
    if (options.filter != StorageService::TypeFilter::All)
      throw Error(ErrorCode::InvalidArgument,
                  "query parameters \"typeFilter\" and \"page\" cannot be combined");
    const Page page = page_of(request);
    options.which.limit = page.size;
    options.which.offset = page.offset();
  }
  Json out = Json::array();
  for (const auto& file : services_.storage.list(request.param(), options)) {
    out.push_back(render::stored_file(file));
  }
  return json_answer(200, out);
}

HttpResponse StorageResource::latest(const ApiRequest& request, const Principal&) {
  return json_answer(200, render::stored_file(services_.storage.latest(
                              request.param(), request.query("jobId"), request.query("jobName"))));
}

HttpResponse StorageResource::remove(const ApiRequest& request, const Principal& who) {
  services_.storage.remove(who, request.param(), require_string(request.body, "path"),
                           get_bool(request.body, "force").value_or(false));
  return json_answer(200, {{"success", true}});
}

HttpResponse StorageResource::verify(const ApiRequest& request, const Principal& who) {
  const auto outcome =
      services_.storage.verify(who, request.param(), require_string(request.body, "file"));
  Json data{{"status", outcome.status}, {"verifiedAt", format_iso8601(outcome.verified_at)}};
  if (!outcome.expected.empty()) data["expectedChecksum"] = outcome.expected;
  if (!outcome.actual.empty()) data["actualChecksum"] = outcome.actual;
  if (!outcome.error.empty()) data["error"] = outcome.error;
  return json_answer(200, render::wrapped(std::move(data)));
}

HttpResponse StorageResource::restore(const ApiRequest& request, const Principal& who) {
  const std::string id =
      services_.restores.restore(who, parse_restore(request.param(), request.body));
  return json_answer(202, {{"success", true}, {"executionId", id}, {"message", "Restore queued"}});
}

HttpResponse StorageResource::download(const ApiRequest& request, const Principal& who) {
  const std::string token = request.query("token");
  if (token.empty() && request.query("file").empty()) {
    throw Error(ErrorCode::InvalidArgument, "query parameter \"file\" is required");
  }
  const bool is_head = request.http.method == Method::Head;
  DownloadTokens& tokens = services_.downloads.tokens();
  if (!token.empty() && is_head) {
    throw Error(ErrorCode::InvalidArgument, "a prepared download is not for HEAD");
  }
  const DownloadGrant grant =
      !token.empty() ? services_.downloads.claim_prepared(who, request.param(), token)
                     : DownloadGrant{.destination_id = request.param(),
                                     .path = request.query("file"),
                                     .unseal = request.flag("decrypt"),
                                     .profile_override = request.query("profileIdOverride")};
  try {
    DownloadAnswer answer =
        download_answer(request.http, services_.downloads, services_.downloads.plan(grant));
    if (answer.has_bytes) services_.downloads.note(who, grant);
    if (!answer.has_bytes && !token.empty()) tokens.give_back(token);
    return std::move(answer.response);
  } catch (...) {
    if (!token.empty()) tokens.give_back(token);
    throw;
  }
}

HttpResponse StorageResource::download_url(const ApiRequest& request, const Principal& who) {
  const SecretString token = services_.downloads.make_link(
      who,
      {.destination_id = request.param(),
       .path = require_string(request.body, "file"),
       .profile_override = get_string(request.body, "profileIdOverride").value_or("")},
      get_bool(request.body, "decrypt"));
  const std::string url = public_address(request.http, options_.public_url, options_.is_https) +
                          "/api/storage/public-download?token=" + std::string{token.reveal()};
  return secret_answer(
      200, {{"success", true}, {"url", url}, {"expiresIn", "5 minutes"}, {"singleUse", true}});
}

HttpResponse StorageResource::public_download(const ApiRequest& request, const Principal&) {
  const std::string token = request.query("token");
  if (token.empty()) throw Error(ErrorCode::InvalidArgument, "\"token\" is required");
  DownloadTokens& tokens = services_.downloads.tokens();
  const bool is_head = request.http.method == Method::Head;
  // A download prepared for one caller is no public link.
  auto grant = tokens.look(token);
  if (grant && !grant->owner.empty()) grant.reset();
  if (grant && !is_head) grant = tokens.claim(token);
  if (!grant)
    throw Error(ErrorCode::Unauthenticated, "the link is unknown, has expired or was used");
  if (is_head) {
    return download_answer(request.http, services_.downloads, services_.downloads.plan(*grant))
        .response;
  }
  try {
    DownloadAnswer answer =
        download_answer(request.http, services_.downloads, services_.downloads.plan(*grant));
    // Nothing of the file was handed out: 304, 416.
    if (!answer.has_bytes) tokens.give_back(token);
    answer.response.headers.set("Cache-Control", "no-store");
    return std::move(answer.response);
  } catch (...) {
    tokens.give_back(token);
    throw;
  }
}

}  // namespace dbackup::host
