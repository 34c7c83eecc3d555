#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "api/http_response.hpp"
#include "base/clock.hpp"
#include "store/database.hpp"

namespace dbackup::host {

struct IdempotentRequest {
  std::string principal;     ///< id of the key or session
  std::string route;         ///< method and path
  std::string key;           ///< Idempotency-Key as sent
  std::string body;          ///< as sent
  std::string secret_owner;  ///< JSON pointer into the answer, when it must not be kept
};

/// Answers a repeated request with the answer of the first, for 24 hours. Only answers below 400
/// are kept: a failed request may be repeated. Answers that hold a secret are not kept: their
/// repetition is told which object was made. [any-thread]
class Idempotency {
 public:
  Idempotency(Database& database, const Clock& clock);

  /// Runs `handler`, or returns what it answered before. Throws Error: InvalidArgument for a bad
  /// key, the same with reason "idempotency_body" when the key was used with another body, Aborted
  /// while the first request runs or when its end is not known.
  HttpResponse answer(const IdempotentRequest& request,
                      const std::function<HttpResponse()>& handler);

 private:
  void drop_old_answers(TimeMs now);

  Database& database_;
  const Clock& clock_;
  const TimeMs started_at_;
  std::atomic<TimeMs> dropped_at_{0};
};

}  // namespace dbackup::host
