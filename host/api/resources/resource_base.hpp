#pragma once

#include "api/route_table.hpp"
#include "base/json.hpp"

namespace dbackup::host {

inline HttpResponse json_answer(int status, const Json& body) {
  return HttpResponse::json(status, dump_json(body));
}
/// For answers that hold a secret or open a door.
inline HttpResponse secret_answer(int status, const Json& body) {
  HttpResponse response = json_answer(status, body);
  response.headers.set("Cache-Control", "no-store");
  return response;
}

/// Statuses that rows share, beside 401, 403 and 500, which every row can give.
inline constexpr int kBadRequest[] = {400};
inline constexpr int kMissing[] = {404};
inline constexpr int kMissingOrBad[] = {400, 404};
inline constexpr int kCreateFailures[] = {400, 404, 409, 422};
inline constexpr int kChangeFailures[] = {400, 404, 409};
inline constexpr int kUnbuilt[] = {400, 501};
inline constexpr int kWorkerFailures[] = {400, 404, 409, 422, 501, 503, 504};

}  // namespace dbackup::host
