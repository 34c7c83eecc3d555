#include "api/http_error.hpp"

#include <array>

#include "api/field_error.hpp"
#include "base/json.hpp"

namespace dbackup::host {
namespace {

constexpr std::array kHttpStatus{
    // A cancelled operation was refused by this server's own will, mostly because it is stopping.
    HttpStatusRow{ErrorCode::Cancelled, "", 503},
    HttpStatusRow{ErrorCode::InvalidArgument, "", 400},
    HttpStatusRow{ErrorCode::InvalidArgument, "in_use", 400},
    HttpStatusRow{ErrorCode::InvalidArgument, "media_type", 415},
    HttpStatusRow{ErrorCode::InvalidArgument, "range", 416},
    HttpStatusRow{ErrorCode::InvalidArgument, "idempotency_body", 422},
    HttpStatusRow{ErrorCode::InvalidArgument, "wrong_key", 422},
    HttpStatusRow{ErrorCode::DeadlineExceeded, "", 504},
    HttpStatusRow{ErrorCode::NotFound, "", 404},
    HttpStatusRow{ErrorCode::NotFound, "expired", 410},
    HttpStatusRow{ErrorCode::AlreadyExists, "", 409},
    HttpStatusRow{ErrorCode::AlreadyExists, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL", 422},
    HttpStatusRow{ErrorCode::PermissionDenied, "", 403},
    HttpStatusRow{ErrorCode::ResourceExhausted, "", 507},
    HttpStatusRow{ErrorCode::ResourceExhausted, "full", 507},
    HttpStatusRow{ErrorCode::ResourceExhausted, "descriptors", 503},
    HttpStatusRow{ErrorCode::ResourceExhausted, "memory", 503},
    HttpStatusRow{ErrorCode::ResourceExhausted, "busy", 503},
    HttpStatusRow{ErrorCode::ResourceExhausted, "ACCOUNT_TEMPORARILY_LOCKED", 429},
    HttpStatusRow{ErrorCode::FailedPrecondition, "", 409},
    HttpStatusRow{ErrorCode::FailedPrecondition, "encryption_key_required", 422},
    HttpStatusRow{ErrorCode::FailedPrecondition, "has_ended", 400},
    HttpStatusRow{ErrorCode::FailedPrecondition, "if_match", 412},
    HttpStatusRow{ErrorCode::Aborted, "", 409},
    HttpStatusRow{ErrorCode::Unimplemented, "", 501},
    HttpStatusRow{ErrorCode::Internal, "", 500},
    HttpStatusRow{ErrorCode::Unavailable, "", 503},
    // The published contract answers 500 where a source or a storage cannot be reached.
    HttpStatusRow{ErrorCode::Unavailable, "adapter", 500},
    HttpStatusRow{ErrorCode::DataLoss, "", 500},
    HttpStatusRow{ErrorCode::DataLoss, "archive_index", 502},
    HttpStatusRow{ErrorCode::Unauthenticated, "", 401},
};

/// The reason where it is such a token, else one that fits the status.
std::string code_token(const Error& error, int status) {
  const std::string& reason = error.reason();
  if (!reason.empty() && reason.front() >= 'A' && reason.front() <= 'Z') return reason;
  switch (status) {
    case 400:
      return "VALIDATION_ERROR";
    case 401:
      return "UNAUTHORIZED";
    case 403:
      return "FORBIDDEN";
    case 404:
      return "NOT_FOUND";
    case 501:
      return "NOT_IMPLEMENTED";
    default:
      return status < 500 ? "REFUSED" : "INTERNAL_SERVER_ERROR";
  }
}

}  // namespace

std::span<const HttpStatusRow> http_status_rows() noexcept { return kHttpStatus; }

int http_status(ErrorCode code, std::string_view reason) noexcept {
  int fallback = 500;
  for (const auto& row : kHttpStatus) {
    if (row.code != code) continue;
    if (row.reason == reason) return row.status;
    if (row.reason.empty()) fallback = row.status;
  }
  return fallback;
}

HttpResponse error_response(const Error& error, ErrorForm form) {
  const int status = http_status(error.code(), error.reason());
  Json body{{"success", false}, {"error", error.what()}};
  if (form.with_message || form.with_code) body["message"] = error.what();
  if (form.with_code) body["code"] = code_token(error, status);
  if (form.with_fields && status == 400) {
    Json errors{{"formErrors", Json::array()}, {"fieldErrors", Json::object()}};
    const auto* field = dynamic_cast<const FieldError*>(&error);
    if (field != nullptr && !field->field().empty()) {
      errors["fieldErrors"][field->field()] = Json::array({error.what()});
    } else {
      errors["formErrors"].push_back(error.what());
    }
    body["errors"] = std::move(errors);
  }
  // Who uses what cannot be deleted; the detail of this one reason is JSON, without secrets.
  if (error.reason() == "references") {
    Json references = Json::parse(error.detail(), nullptr, /*allow_exceptions=*/false);
    if (references.is_array()) body["references"] = std::move(references);
  }
  if (error.reason() == "encryption_key_required") {
    body["code"] = "ENCRYPTION_KEY_REQUIRED";
    // The detail of this one reason is the profile's id, which is no secret.
    if (!error.detail().empty()) body["profileId"] = error.detail();
  }
  HttpResponse response = HttpResponse::json(status, dump_json(body));
  if (status == 503) response.headers.set("Retry-After", "5");
  // A locked second factor; the limiter answers by itself.
  if (status == 429) response.headers.set("Retry-After", "60");
  if (status == 401) response.headers.set("WWW-Authenticate", "Bearer");
  return response;
}

Failure failure_from(std::exception_ptr error, ErrorForm form) {
  const auto unexpected = [&form](std::string text) {
    const Error plain{ErrorCode::Internal, "internal error"};
    return Failure{.response = error_response(plain, form), .log_text = std::move(text)};
  };
  try {
    std::rethrow_exception(error);
  } catch (const Error& known) {
    const int status = http_status(known.code(), known.reason());
    const bool is_fault = status >= 500 && status != 501;
    std::string text;
    if (is_fault || !known.detail().empty()) {
      text = std::string{to_string(known.code())} + ": " + known.what();
      if (!known.detail().empty()) text += " (" + known.detail() + ")";
    }
    return {.response = error_response(known, form), .log_text = std::move(text)};
  } catch (const std::bad_alloc&) {
    return unexpected("out of memory");
  } catch (const std::exception& other) {
    return unexpected(other.what());
  } catch (...) {
    return unexpected("an exception of unknown type");
  }
}

}  // namespace dbackup::host
