#pragma once

#include <dbackup/error.hpp>

#include <cerrno>
#include <system_error>

namespace dbackup {

inline Error system_error(int number, const std::string& what) {
  ErrorCode code = ErrorCode::Internal;
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      code = ErrorCode::NotFound;
      break;
    case EEXIST:
      code = ErrorCode::AlreadyExists;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = ErrorCode::PermissionDenied;
      break;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      code = ErrorCode::ResourceExhausted;
      break;
    case EIO:
      code = ErrorCode::DataLoss;
      break;
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EPIPE:
      code = ErrorCode::Unavailable;
      break;
    case ETIMEDOUT:
      code = ErrorCode::DeadlineExceeded;
      break;
    case EINVAL:
    case ENAMETOOLONG:
      code = ErrorCode::InvalidArgument;
      break;
    default:
      break;
  }
  return Error{code, what + ": " + std::generic_category().message(number)};
}

}  // namespace dbackup
