#include "base/error.hpp"

#include <array>
#include <cerrno>
#include <system_error>

namespace dbackup::host {
namespace {

struct CodeName {
  ErrorCode code;
  std::string_view name;
};

constexpr std::array kCodes{
    CodeName{ErrorCode::Cancelled, "Cancelled"},
    CodeName{ErrorCode::InvalidArgument, "InvalidArgument"},
    CodeName{ErrorCode::DeadlineExceeded, "DeadlineExceeded"},
    CodeName{ErrorCode::NotFound, "NotFound"},
    CodeName{ErrorCode::AlreadyExists, "AlreadyExists"},
    CodeName{ErrorCode::PermissionDenied, "PermissionDenied"},
    CodeName{ErrorCode::ResourceExhausted, "ResourceExhausted"},
    CodeName{ErrorCode::FailedPrecondition, "FailedPrecondition"},
    CodeName{ErrorCode::Aborted, "Aborted"},
    CodeName{ErrorCode::Unimplemented, "Unimplemented"},
    CodeName{ErrorCode::Internal, "Internal"},
    CodeName{ErrorCode::Unavailable, "Unavailable"},
    CodeName{ErrorCode::DataLoss, "DataLoss"},
    CodeName{ErrorCode::Unauthenticated, "Unauthenticated"},
};

struct ErrnoRow {
  int number;
  ErrorCode code;
  std::string_view reason;
};

constexpr std::array kErrnos{
    ErrnoRow{ENOENT, ErrorCode::NotFound, ""},
    ErrnoRow{ENOTDIR, ErrorCode::NotFound, ""},
    ErrnoRow{EEXIST, ErrorCode::AlreadyExists, ""},
    ErrnoRow{EACCES, ErrorCode::PermissionDenied, ""},
    ErrnoRow{EPERM, ErrorCode::PermissionDenied, ""},
    ErrnoRow{EROFS, ErrorCode::PermissionDenied, ""},
    ErrnoRow{ENOSPC, ErrorCode::ResourceExhausted, "full"},
    ErrnoRow{EDQUOT, ErrorCode::ResourceExhausted, "full"},
    ErrnoRow{EMFILE, ErrorCode::ResourceExhausted, "descriptors"},
    ErrnoRow{ENFILE, ErrorCode::ResourceExhausted, "descriptors"},
    ErrnoRow{ENOMEM, ErrorCode::ResourceExhausted, "memory"},
    ErrnoRow{EIO, ErrorCode::DataLoss, ""},
    ErrnoRow{ECONNREFUSED, ErrorCode::Unavailable, ""},
    ErrnoRow{ECONNRESET, ErrorCode::Unavailable, ""},
    ErrnoRow{ETIMEDOUT, ErrorCode::DeadlineExceeded, ""},
    ErrnoRow{EINVAL, ErrorCode::InvalidArgument, ""},
    ErrnoRow{ENAMETOOLONG, ErrorCode::InvalidArgument, ""},
};

}  // namespace

std::string_view to_string(ErrorCode code) noexcept {
  for (const auto& row : kCodes) {
    if (row.code == code) return row.name;
  }
  return "Internal";
}

ErrorCode error_code_from(int32_t number) noexcept {
  for (const auto& row : kCodes) {
    if (static_cast<int32_t>(row.code) == number) return row.code;
  }
  return ErrorCode::Internal;
}

std::string errno_text(int error_number) { return std::generic_category().message(error_number); }

void throw_errno(int error_number, const std::string& what) {
  ErrorCode code = ErrorCode::Internal;
  std::string_view reason;
  for (const auto& row : kErrnos) {
    if (row.number == error_number) {
      code = row.code;
      reason = row.reason;
    }
  }
  throw Error(code, what + ": " + errno_text(error_number), {}, reason);
}

}  // namespace dbackup::host
