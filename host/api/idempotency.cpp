#include "api/idempotency.hpp"

#include <algorithm>

#include "api/http_error.hpp"
#include "base/id.hpp"
#include "base/json.hpp"
#include "base/logging.hpp"
#include "crypto/hash.hpp"
#include "store/before_write.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

constexpr TimeMs kMinute = 60'000;
constexpr TimeMs kLifetime = 24 * 60 * kMinute;

/// No request is handled for longer; its host is taken for dead.
constexpr TimeMs kLongest = 15 * kMinute;

/// What stands in place of a status before there is one. The answer then names the attempt.
constexpr int64_t kInFlight = 0;
constexpr int64_t kTookEffect = 2;
/// An answer with a secret: only the id of what was made is kept.
constexpr int64_t kSecretAnswer = 1;

void check_key(const std::string& key) {
  const bool printable = std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; });
  if (key.empty() || key.size() > 255 || !printable) {
    throw Error(ErrorCode::InvalidArgument,
                "\"Idempotency-Key\" must have 1 to 255 printable characters");
  }
}

HttpResponse replay(const IdempotentAnswer& kept) {
  if (kept.status == kSecretAnswer) {
    throw Error(ErrorCode::Aborted, "this request already made \"" + kept.answer +
                                        "\"; its answer held a secret and was not kept");
  }
  HttpResponse response = HttpResponse::json(static_cast<int>(kept.status), kept.answer);
  response.headers.set("Idempotent-Replayed", "true");
  return response;
}

std::string secret_owner_id(const std::string& body, const std::string& pointer) {
  const Json answer = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (answer.is_discarded()) return "";
  const Json id = answer.value(Json::json_pointer{pointer}, Json{});
  return id.is_string() ? id.get<std::string>() : "";
}

/// Changes what `attempt` holds, whether it has taken effect or not; false when it holds nothing.
bool settle(Session& session, IdempotentAnswer attempt, const IdempotentAnswer& to) {
  for (const int64_t status : {kTookEffect, kInFlight}) {
    attempt.status = status;
    if (IdempotencyStore{}.change(session, attempt, to)) return true;
  }
  return false;
}

}  // namespace

Idempotency::Idempotency(Database& database, const Clock& clock)
    : database_{database}, clock_{clock}, started_at_{clock.now_ms()} {}

void Idempotency::sweep() {
  const TimeMs now = clock_.now_ms();
  TimeMs last = swept_at_.load();
  if (now - last < kMinute || !swept_at_.compare_exchange_strong(last, now)) return;
  database_.write(
      [&](Session& session) { IdempotencyStore{}.remove_older_than(session, now - kLifetime); });
}

bool Idempotency::is_over(const IdempotentAnswer& attempt) const {
  return attempt.created_at < started_at_ || clock_.now_ms() - attempt.created_at > kLongest;
}

bool Idempotency::take(IdempotentAnswer& attempt, IdempotentAnswer& known) {
  bool is_taken = false;
  database_.write([&](Session& session) {
    is_taken = IdempotencyStore{}.begin(session, attempt, known);
    if (is_taken) return;
    if (known.created_at < attempt.created_at - kLifetime) {
      IdempotencyStore{}.forget(session, known);
      is_taken = IdempotencyStore{}.begin(session, attempt, known);
    } else if (known.status == kInFlight && known.body_hash == attempt.body_hash &&
               is_over(known)) {
      is_taken = IdempotencyStore{}.change(session, known, attempt);
    }
  });
  return is_taken;
}

HttpResponse Idempotency::answer(const IdempotentRequest& request,
                                 const std::function<HttpResponse()>& handler) {
  check_key(request.key);
  IdempotentAnswer attempt{.principal = request.principal,
                           .route = request.route,
                           .key = request.key,
                           .body_hash = sha256_hex(request.body),
                           .status = kInFlight,
                           .answer = new_uuid(),
                           .created_at = clock_.now_ms()};
  IdempotentAnswer known;
  if (take(attempt, known)) return run(request, attempt, handler);
  if (known.body_hash != attempt.body_hash) {
    throw Error(ErrorCode::InvalidArgument,
                "this idempotency key was used with another request body", {}, "idempotency_body");
  }
  if (known.status == kTookEffect && is_over(known)) {
    throw Error(ErrorCode::Aborted,
                "the first request with this idempotency key took effect, but its answer was lost; "
                "look for what it made");
  }
  if (known.status == kInFlight || known.status == kTookEffect) {
    throw Error(ErrorCode::Aborted,
                "the first request with this idempotency key is still in progress");
  }
  return replay(known);
}

HttpResponse Idempotency::run(const IdempotentRequest& request, const IdempotentAnswer& attempt,
                              const std::function<HttpResponse()>& handler) {
  IdempotentAnswer took_effect = attempt;
  took_effect.status = kTookEffect;
  const auto forget = [&](std::initializer_list<int64_t> statuses) {
    database_.write([&](Session& session) {
      for (const int64_t status : statuses) {
        IdempotentAnswer held = attempt;
        held.status = status;
        IdempotencyStore{}.forget(session, held);
      }
    });
  };
  HttpResponse response;
  try {
    const BeforeWrite note{[&](Session& session) {
      if (IdempotencyStore{}.change(session, attempt, took_effect)) return;
      throw Error(ErrorCode::Aborted,
                  "another request with this idempotency key has taken this one's place");
    }};
    response = handler();
  } catch (const Error& error) {
    // A refusal did nothing. A fault after the effect may not be repeated blindly.
    if (http_status(error.code(), error.reason()) < 500) {
      forget({kInFlight, kTookEffect});
    } else {
      forget({kInFlight});
    }
    throw;
  } catch (...) {
    forget({kInFlight});
    throw;
  }
  const auto* body = std::get_if<std::string>(&response.body);
  if (response.status >= 400 || body == nullptr) {
    forget({kInFlight, kTookEffect});
    return response;
  }
  IdempotentAnswer done = attempt;
  done.status = request.secret_owner.empty() ? response.status : kSecretAnswer;
  done.answer = request.secret_owner.empty() ? *body : secret_owner_id(*body, request.secret_owner);
  try {
    database_.write([&](Session& session) { settle(session, attempt, done); });
  } catch (const Error& error) {
    // The request took effect: its answer goes out, and a repetition is told that it did.
    log_warning(std::string{"an idempotent answer could not be kept: "} + error.what());
  }
  return response;
}

}  // namespace dbackup::host
