#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace dbackup::host {

/// The canonical status codes. The plugin ABI, the worker protocol, the log and the REST API use the
/// same numbers; `worker/plugin` asserts that they equal those of the SDK's abi.h.
enum class ErrorCode : int32_t {
  Cancelled = 1,
  InvalidArgument = 3,
  DeadlineExceeded = 4,
  NotFound = 5,
  AlreadyExists = 6,
  PermissionDenied = 7,
  ResourceExhausted = 8,
  FailedPrecondition = 9,
  Aborted = 10,
  Unimplemented = 12,
  Internal = 13,
  Unavailable = 14,
  DataLoss = 15,
  Unauthenticated = 16,
};

/// Name of a code as written in logs ("NotFound"); "Internal" for a number outside the list.
std::string_view to_string(ErrorCode code) noexcept;

/// The code with this number; Internal when the number is not one of the list.
ErrorCode error_code_from(int32_t number) noexcept;

/// What ends an operation. `what()` is safe to show to a caller; `detail()` goes to the log only;
/// `reason()` is a machine token that refines the code (for example "full", "encryption_key_required").
class Error : public std::runtime_error {
 public:
  explicit Error(ErrorCode code, const std::string& message, std::string detail = {},
                 std::string_view reason = {})
      : std::runtime_error{message}, code_{code}, detail_{std::move(detail)}, reason_{reason} {}

  ErrorCode code() const noexcept { return code_; }
  const std::string& detail() const noexcept { return detail_; }
  const std::string& reason() const noexcept { return reason_; }

 private:
  ErrorCode code_;
  std::string detail_;
  std::string reason_;
};

/// Throws Error with the code that fits `error_number` (ENOSPC is ResourceExhausted with reason "full",
/// ENOENT is NotFound, …) and the text "`what`: <system's reason>".
[[noreturn]] void throw_errno(int error_number, const std::string& what);

/// The system's text of an errno value; thread-safe.
std::string errno_text(int error_number);

}  // namespace dbackup::host
