#pragma once

#include "api/http_message.hpp"
#include "api/http_response.hpp"
#include "services/download_service.hpp"

namespace dbackup::host {

struct DownloadAnswer {
  HttpResponse response;
  bool has_bytes = false;  ///< false for 304, 416 and HEAD
};

/// The answer to a download: whole, one range, "not modified", or the head alone. Bytes are relayed
/// from the worker's pipe. Throws as DownloadService::open().
DownloadAnswer download_answer(const HttpRequest& request, DownloadService& downloads,
                               const DownloadPlan& plan);

}  // namespace dbackup::host
