#include "api/idempotency.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "base/logging.hpp"
#include "crypto/hash.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

constexpr TimeMs kMinute = 60'000;
constexpr TimeMs kLifetime = 24 * 60 * kMinute;

/// What is kept of an answer with a secret: no status a handler gives.
constexpr int64_t kSecretAnswer = 1;

void check_key(const std::string& key) {
  const bool printable = std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; });
  if (key.empty() || key.size() > 255 || !printable) {
    throw Error(ErrorCode::InvalidArgument,
                "\"Idempotency-Key\" must have 1 to 255 printable characters");
  }
}

HttpResponse replay(const IdempotentAnswer& kept, TimeMs started_at) {
  if (kept.status == kSecretAnswer) {
    throw Error(ErrorCode::Aborted, "this request already made \"" + kept.answer +
                                        "\"; its answer held a secret and was not kept");
  }
  if (kept.status == 0 && kept.created_at < started_at) {
    throw Error(
        ErrorCode::Aborted,
        "the first request with this idempotency key was interrupted and its outcome is not known; "
        "look whether it took effect, then use another key");
  }
  if (kept.status == 0) {
    throw Error(ErrorCode::Aborted,
                "the first request with this idempotency key is still in progress");
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

}  // namespace

Idempotency::Idempotency(Database& database, const Clock& clock)
    : database_{database}, clock_{clock}, started_at_{clock.now_ms()} {}

void Idempotency::drop_old_answers(TimeMs now) {
  TimeMs last = dropped_at_.load();
  if (now - last < kMinute || !dropped_at_.compare_exchange_strong(last, now)) return;
  database_.write(
      [&](Session& session) { IdempotencyStore{}.remove_older_than(session, now - kLifetime); });
}

HttpResponse Idempotency::answer(const IdempotentRequest& request,
                                 const std::function<HttpResponse()>& handler) {
  check_key(request.key);
  const TimeMs now = clock_.now_ms();
  drop_old_answers(now);

  IdempotentAnswer entry{.principal = request.principal,
                         .route = request.route,
                         .key = request.key,
                         .body_hash = sha256_hex(request.body),
                         .created_at = now};
  IdempotentAnswer existing;
  bool is_first = false;
  database_.write([&](Session& session) {
    is_first = IdempotencyStore{}.begin(session, entry, existing);
    if (!is_first && existing.created_at < now - kLifetime) {
      IdempotencyStore{}.forget(session, entry);
      is_first = IdempotencyStore{}.begin(session, entry, existing);
    }
  });
  if (!is_first) {
    if (existing.body_hash != entry.body_hash) {
      throw Error(ErrorCode::InvalidArgument,
                  "this idempotency key was used with another request body", {},
                  "idempotency_body");
    }
    return replay(existing, started_at_);
  }

  const auto forget = [&] {
    database_.write([&](Session& session) { IdempotencyStore{}.forget(session, entry); });
  };
  try {
    HttpResponse response = handler();
    const auto* body = std::get_if<std::string>(&response.body);
    if (response.status >= 400 || body == nullptr) {
      forget();
      return response;
    }
    entry.status = request.secret_owner.empty() ? response.status : kSecretAnswer;
    entry.answer =
        request.secret_owner.empty() ? *body : secret_owner_id(*body, request.secret_owner);
    try {
      database_.write([&](Session& session) { IdempotencyStore{}.finish(session, entry); });
    } catch (const Error& error) {
      // The request took effect: its answer goes out, and a repetition is told that it is in
      // progress.
      log_warning(std::string{"an idempotent answer could not be kept: "} + error.what());
    }
    return response;
  } catch (...) {
    forget();
    throw;
  }
}

}  // namespace dbackup::host
