#include "api/download_answer.hpp"

#include "api/byte_range.hpp"
#include "api/content_disposition.hpp"
#include "base/logging.hpp"

namespace dbackup::host {
namespace {

std::string etag_of(const DownloadPlan& plan) {
  if (plan.sha256.empty()) return "";
  return "\"" + plan.sha256 + (plan.unseal ? "-plain" : "") + "\"";
}

/// The range to serve; a condition that no longer holds turns the request into one for the whole.
std::optional<RangeRequest> wanted_range(const HttpRequest& request, const std::string& etag) {
  const auto range = parse_range(request.headers.get("Range"));
  const std::string* condition = request.headers.find("If-Range");
  if (condition != nullptr && (etag.empty() || *condition != etag)) return std::nullopt;
  return range;
}

HttpRelay relay_of(WorkerClient::Fetch fetch, const std::string& path) {
  HttpRelay relay{std::move(fetch.bytes)};
  relay.length = fetch.length;
  relay.verdict = [end = fetch.end, path, request = LogContext::current()] {
    const auto failure = end->poll();
    if (!failure) return RelayEnd::Pending;
    if (failure->empty()) return RelayEnd::Complete;
    const LogContext context{request};
    log_error("the download of \"" + path + "\" failed: " + *failure);
    return RelayEnd::Failed;
  };
  relay.on_end = [end = fetch.end](bool delivered) {
    if (!delivered) end->abandon();
  };
  return relay;
}

HttpResponse unsatisfiable(uint64_t total) {
  HttpResponse response = HttpResponse::error(416, "the range lies outside the file");
  response.headers.set("Content-Range", "bytes */" + std::to_string(total));
  return response;
}

}  // namespace

DownloadAnswer download_answer(const HttpRequest& request, DownloadService& downloads,
                               const DownloadPlan& plan) {
  const std::string etag = etag_of(plan);
  const auto add_headers = [&](HttpResponse& response) {
    if (!etag.empty()) response.headers.set("ETag", etag);
    response.headers.set("Accept-Ranges", "bytes");
    response.headers.set("Cache-Control", "private, no-cache");
  };
  const std::string* known = request.headers.find("If-None-Match");
  if (known != nullptr && !etag.empty() && matches_etag(*known, etag)) {
    HttpResponse response{.status = 304};
    add_headers(response);
    return {.response = std::move(response)};
  }

  const auto range = wanted_range(request, etag);
  const bool is_head = request.method == Method::Head;
  std::optional<uint64_t> total;
  ByteRange part;
  if (range || is_head) total = downloads.total(plan);
  if (range) {
    const auto resolved = resolve_range(*range, *total);
    if (!resolved) {
      HttpResponse response = unsatisfiable(*total);
      add_headers(response);
      return {.response = std::move(response)};
    }
    part = *resolved;
  }

  HttpRelay relay;
  if (is_head) {
    relay.length = range ? part.length : *total;
  } else {
    WorkerClient::Fetch fetch =
        range ? downloads.open(plan, part.offset, static_cast<int64_t>(part.length))
              : downloads.open(plan, 0, -1);
    relay = relay_of(std::move(fetch), plan.backup.path);
  }
  HttpResponse response = HttpResponse::relay(std::move(relay), "application/octet-stream");
  add_headers(response);
  response.headers.set("Content-Disposition", attachment_of(plan.file_name));
  if (range) {
    response.status = 206;
    response.headers.set("Content-Range", "bytes " + std::to_string(part.offset) + "-" +
                                              std::to_string(part.offset + part.length - 1) + "/" +
                                              std::to_string(*total));
  }
  return {.response = std::move(response), .has_bytes = !is_head};
}

}  // namespace dbackup::host
