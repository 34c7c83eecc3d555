#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "api/http_response.hpp"
#include "base/clock.hpp"
#include "model/nouns.hpp"
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
/// repetition is told which object was made.
///
/// What a crash leaves: the first transaction of the handler also notes, in itself, that the request
/// has taken effect. A key without that note belongs to a request of which nothing was stored, so its
/// repetition simply runs; one with the note, whose answer was lost, is told so and runs nothing.
/// The note is written only by the attempt that holds the key, so an attempt which was thought dead
/// and is not fails instead of doing it twice. Effects outside the metadata (a message sent, a file
/// replaced) happen at least once. [any-thread]
class Idempotency {
 public:
  Idempotency(Database& database, const Clock& clock);

  /// Runs `handler`, or returns what it answered before. Throws Error: InvalidArgument for a bad
  /// key, the same with reason "idempotency_body" when the key was used with another body, Aborted
  /// while the first request runs or when its answer was lost.
  HttpResponse answer(const IdempotentRequest& request,
                      const std::function<HttpResponse()>& handler);
  /// Forgets keys older than a day; cheap, at most once a minute.
  void sweep();

 private:
  /// The key, taken for this attempt; or what is known about it.
  bool take(IdempotentAnswer& attempt, IdempotentAnswer& known);
  HttpResponse run(const IdempotentRequest& request, const IdempotentAnswer& attempt,
                   const std::function<HttpResponse()>& handler);
  bool is_over(const IdempotentAnswer& attempt) const;

  Database& database_;
  const Clock& clock_;
  const TimeMs started_at_;
  std::atomic<TimeMs> swept_at_{0};
};

}  // namespace dbackup::host
