#pragma once

#include <exception>
#include <span>
#include <string>
#include <string_view>

#include "api/http_response.hpp"
#include "base/error.hpp"

namespace dbackup::host {

/// One row of the only table from errors to statuses. An empty reason matches every reason that has
/// no row of its own.
struct HttpStatusRow {
  ErrorCode code;
  std::string_view reason;
  int status;
};
std::span<const HttpStatusRow> http_status_rows() noexcept;

/// The status of an error; 500 when no row fits.
int http_status(ErrorCode code, std::string_view reason) noexcept;

/// What is known about the answer beside the error itself.
struct ErrorForm {
  /// Adds "message" with the same text: clients of connection tests read that one.
  bool with_message = false;
  /// Adds "code" too, a token by which clients of the sign-in family tell errors apart.
  bool with_code = false;
  /// Adds "errors" to what is wrong with the input: by member, and of the request as a whole.
  bool with_fields = false;
};

/// The answer to an error: {"success":false,"error":…}, for a missing decryption key also "code"
/// and "profileId", with Retry-After where waiting helps.
HttpResponse error_response(const Error& error, ErrorForm form = {});

/// The answer to any exception, and what the log should say of it ("" when nothing is worth it).
/// Whatever is no Error becomes a 500 that says nothing of its text.
struct Failure {
  HttpResponse response;
  std::string log_text;
};
Failure failure_from(std::exception_ptr error, ErrorForm form = {});

}  // namespace dbackup::host
