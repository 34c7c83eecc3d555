// What S3 says when it refuses, in our codes and in words that tell what to do.
#include <algorithm>
#include <array>
#include <string_view>

#include "answers.hpp"
#include "client.hpp"

namespace dbackup::plugins::s3 {
namespace {

constexpr size_t kMostShown = 300;

struct Row {
  std::string_view name;
  ErrorCode code;
};
constexpr std::array kNames{
    Row{"NoSuchKey", ErrorCode::NotFound},
    Row{"NoSuchBucket", ErrorCode::NotFound},
    Row{"NoSuchUpload", ErrorCode::NotFound},
    Row{"AccessDenied", ErrorCode::PermissionDenied},
    Row{"AccountProblem", ErrorCode::PermissionDenied},
    Row{"AllAccessDisabled", ErrorCode::PermissionDenied},
    Row{"InvalidAccessKeyId", ErrorCode::Unauthenticated},
    Row{"SignatureDoesNotMatch", ErrorCode::Unauthenticated},
    Row{"ExpiredToken", ErrorCode::Unauthenticated},
    Row{"InvalidToken", ErrorCode::Unauthenticated},
    Row{"TokenRefreshRequired", ErrorCode::Unauthenticated},
    Row{"RequestTimeTooSkewed", ErrorCode::FailedPrecondition},
    Row{"InvalidObjectState", ErrorCode::FailedPrecondition},
    Row{"NotImplemented", ErrorCode::FailedPrecondition},
    Row{"SlowDown", ErrorCode::Unavailable},
    Row{"SlowDownRead", ErrorCode::Unavailable},
    Row{"SlowDownWrite", ErrorCode::Unavailable},
    Row{"Throttling", ErrorCode::Unavailable},
    Row{"ThrottlingException", ErrorCode::Unavailable},
    Row{"RequestLimitExceeded", ErrorCode::Unavailable},
    Row{"TooManyRequests", ErrorCode::Unavailable},
    Row{"InternalError", ErrorCode::Unavailable},
    Row{"ServiceUnavailable", ErrorCode::Unavailable},
    Row{"RequestTimeout", ErrorCode::Unavailable},
    Row{"OperationAborted", ErrorCode::Unavailable},
    Row{"BadDigest", ErrorCode::DataLoss},
    Row{"XAmzContentSHA256Mismatch", ErrorCode::DataLoss},
    Row{"IncompleteBody", ErrorCode::Unavailable},
    Row{"QuotaExceeded", ErrorCode::ResourceExhausted},
    Row{"EntityTooLarge", ErrorCode::ResourceExhausted},
    Row{"XMinioStorageFull", ErrorCode::ResourceExhausted},
    Row{"PermanentRedirect", ErrorCode::InvalidArgument},
    Row{"AuthorizationHeaderMalformed", ErrorCode::InvalidArgument},
    Row{"IllegalLocationConstraintException", ErrorCode::InvalidArgument},
    Row{"PreconditionFailed", ErrorCode::Aborted},
    Row{"ConditionalRequestConflict", ErrorCode::Aborted},
};

ErrorCode by_status(int status) {
  if (status == 401) return ErrorCode::Unauthenticated;
  if (status == 403) return ErrorCode::PermissionDenied;
  if (status == 404) return ErrorCode::NotFound;
  if (status == 507) return ErrorCode::ResourceExhausted;
  if (status == 501) return ErrorCode::FailedPrecondition;
  if (status == 408 || status == 429 || status >= 500) return ErrorCode::Unavailable;
  if (status >= 300 && status < 400) return ErrorCode::InvalidArgument;
  if (status == 409 || status == 412) return ErrorCode::Aborted;
  return ErrorCode::FailedPrecondition;
}

/// On one line, cut at a whole character, without what must not be seen.
std::string cleared(std::string text, const Credentials& secrets) {
  for (const std::string& secret :
       {secrets.secret_access_key, secrets.session_token, secrets.access_key_id}) {
    for (size_t at = 0; !secret.empty() && (at = text.find(secret, at)) != text.npos; at += 3) {
      text.replace(at, secret.size(), "***");
    }
  }
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  if (text.size() > kMostShown) {
    size_t end = kMostShown;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
  }
  while (text.ends_with('.') || text.ends_with(' ')) text.pop_back();
  return text;
}

std::string hint(const Settings& settings, const ErrorBody& body, const Response& response) {
  std::string region = body.region.empty() ? response.header("x-amz-bucket-region") : body.region;
  // An answer to HEAD has no body to say more than the region.
  const bool bare = response.status == 400 && response.body.empty();
  if (response.status == 301 || response.status == 307 || bare ||
      body.code == "PermanentRedirect" || body.code == "AuthorizationHeaderMalformed") {
    if (!region.empty() && region != settings.region) {
      return "the bucket is in region \"" + region + "\", not in \"" + settings.region +
             "\": set \"region\" to it";
    }
    if (!body.endpoint.empty()) {
      return "the bucket is to be asked at \"" + body.endpoint + "\": set \"endpoint\" to it";
    }
    if (response.status == 301 || response.status == 307) {
      return "the server sends to another address, which is not followed: check \"region\" and "
             "\"endpoint\"";
    }
  }
  if (body.code == "RequestTimeTooSkewed") {
    const std::string theirs = response.header("date");
    return "the clocks of this machine and of the server differ too much: set this machine's "
           "clock" +
           (theirs.empty() ? std::string{} : " (the server's is at " + theirs + ")");
  }
  if (body.code == "InvalidObjectState") {
    const std::string where = body.storage_class.empty() ? "" : " (" + body.storage_class + ")";
    return "the object is archived" + where +
           " and cannot be read now: restore it in the provider's console (S3 RestoreObject), wait "
           "until that is done, and try again";
  }
  if (body.code == "SignatureDoesNotMatch") {
    return "the server computed another signature: check \"secretAccessKey\", and \"region\"";
  }
  if (response.body.empty() && (response.status == 400 || response.status == 403)) {
    return "the server answered " + std::to_string(response.status) +
           " without a reason; testing the connection shows more";
  }
  if (body.code == "NoSuchBucket") return "there is no bucket \"" + settings.bucket + "\"";
  return {};
}

}  // namespace

ServiceError service_error(const Settings& settings, const std::string& what,
                           const Response& response) {
  const ErrorBody body = parse_error(response.body);
  const auto row = std::ranges::find(kNames, body.code, &Row::name);
  const ErrorCode code =
      row != kNames.end() && !body.code.empty() ? row->code : by_status(response.status);
  std::string text = what + ": ";
  if (const std::string advice = hint(settings, body, response); !advice.empty()) {
    text += cleared(advice, settings.credentials);
  } else if (!body.message.empty()) {
    text += cleared(body.message, settings.credentials);
  } else {
    text += "the server answered " + std::to_string(response.status);
  }
  if (!body.code.empty()) text += " (" + cleared(body.code, settings.credentials) + ")";
  std::string detail = "HTTP " + std::to_string(response.status);
  const std::string id =
      body.request_id.empty() ? response.header("x-amz-request-id") : body.request_id;
  if (!id.empty()) detail += ", request " + cleared(id, settings.credentials);
  return ServiceError{code, text, detail, response.status, body.code};
}

bool is_transient(const Error& error) {
  if (const auto* service = dynamic_cast<const ServiceError*>(&error)) {
    // A body that arrived damaged is sent again from memory.
    return service->code() == ErrorCode::Unavailable || service->code() == ErrorCode::DataLoss ||
           (service->status() >= 500 && service->status() != 501 && service->status() != 507);
  }
  return error.code() == ErrorCode::Unavailable || error.code() == ErrorCode::DeadlineExceeded ||
         dynamic_cast<const HandshakeError*>(&error) != nullptr;
}

}  // namespace dbackup::plugins::s3
