#pragma once

#include <dbackup/abi.h>

#include <string_view>

#include "base/error.hpp"

namespace dbackup::host {

/// The numbers that cross the border are those of the host's own codes: a plugin's status needs no
/// table. One line per code, so that a changed number does not compile.
static_assert(static_cast<int32_t>(ErrorCode::Cancelled) == DBACKUP_CANCELLED);
static_assert(static_cast<int32_t>(ErrorCode::InvalidArgument) == DBACKUP_INVALID_ARGUMENT);
static_assert(static_cast<int32_t>(ErrorCode::DeadlineExceeded) == DBACKUP_DEADLINE_EXCEEDED);
static_assert(static_cast<int32_t>(ErrorCode::NotFound) == DBACKUP_NOT_FOUND);
static_assert(static_cast<int32_t>(ErrorCode::AlreadyExists) == DBACKUP_ALREADY_EXISTS);
static_assert(static_cast<int32_t>(ErrorCode::PermissionDenied) == DBACKUP_PERMISSION_DENIED);
static_assert(static_cast<int32_t>(ErrorCode::ResourceExhausted) == DBACKUP_RESOURCE_EXHAUSTED);
static_assert(static_cast<int32_t>(ErrorCode::FailedPrecondition) == DBACKUP_FAILED_PRECONDITION);
static_assert(static_cast<int32_t>(ErrorCode::Aborted) == DBACKUP_ABORTED);
static_assert(static_cast<int32_t>(ErrorCode::Unimplemented) == DBACKUP_UNIMPLEMENTED);
static_assert(static_cast<int32_t>(ErrorCode::Internal) == DBACKUP_INTERNAL);
static_assert(static_cast<int32_t>(ErrorCode::Unavailable) == DBACKUP_UNAVAILABLE);
static_assert(static_cast<int32_t>(ErrorCode::DataLoss) == DBACKUP_DATA_LOSS);
static_assert(static_cast<int32_t>(ErrorCode::Unauthenticated) == DBACKUP_UNAUTHENTICATED);

constexpr dbackup_status to_status(ErrorCode code) noexcept {
  return static_cast<dbackup_status>(code);
}

/// Text of a plugin; empty for a null pointer, whatever the size says.
inline std::string_view view(dbackup_str text) noexcept {
  return text.data == nullptr ? std::string_view{}
                              : std::string_view{text.data, static_cast<size_t>(text.size)};
}
inline dbackup_str borrow(std::string_view text) noexcept { return {text.data(), text.size()}; }

}  // namespace dbackup::host
