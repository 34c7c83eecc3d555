#pragma once

#include <dbackup/abi.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace dbackup {

/// The canonical codes of abi.h as an enumeration.
enum class ErrorCode : int32_t {
  Cancelled = DBACKUP_CANCELLED,
  InvalidArgument = DBACKUP_INVALID_ARGUMENT,
  DeadlineExceeded = DBACKUP_DEADLINE_EXCEEDED,
  NotFound = DBACKUP_NOT_FOUND,
  AlreadyExists = DBACKUP_ALREADY_EXISTS,
  PermissionDenied = DBACKUP_PERMISSION_DENIED,
  ResourceExhausted = DBACKUP_RESOURCE_EXHAUSTED,
  FailedPrecondition = DBACKUP_FAILED_PRECONDITION,
  Aborted = DBACKUP_ABORTED,
  Unimplemented = DBACKUP_UNIMPLEMENTED,
  Internal = DBACKUP_INTERNAL,
  Unavailable = DBACKUP_UNAVAILABLE,
  DataLoss = DBACKUP_DATA_LOSS,
  Unauthenticated = DBACKUP_UNAUTHENTICATED,
};

/// Ends an operation of a plugin. `what()` may be shown to clients (lower case, no full stop, the object
/// in quotes, the system's reason after a colon); `detail()` goes to the log only. No secrets in either.
/// Only `Unavailable` is ever retried.
class Error : public std::runtime_error {
 public:
  explicit Error(ErrorCode code, const std::string& message, std::string detail = {})
      : std::runtime_error{message}, code_{code}, detail_{std::move(detail)} {}

  ErrorCode code() const noexcept { return code_; }
  const std::string& detail() const noexcept { return detail_; }

 private:
  ErrorCode code_;
  std::string detail_;
};

/// Error with the code that fits errno `number` and the text "`what`: <system's reason>".
Error system_error(int number, const std::string& what);

}  // namespace dbackup

#include <dbackup/detail/system_error.hpp>
