#pragma once

#include <dbackup/call.hpp>

#include <new>

namespace dbackup::detail {

inline dbackup_status fail(const dbackup_call* raw, ErrorCode code, const char* message,
                           std::string_view detail = {}) noexcept {
  const auto status = static_cast<dbackup_status>(code);
  raw->fail(raw->ctx, status, borrow(message), borrow(detail));
  return status;
}

/// Every entry from C runs in here: nothing thrown in a plugin reaches the host.
template <class Body>
dbackup_status guard(const dbackup_call* raw, Body&& body) noexcept {
  try {
    Call call{raw};
    body(call);
    return DBACKUP_OK;
  } catch (const Error& error) {
    return fail(raw, error.code(), error.what(), error.detail());
  } catch (const std::bad_alloc&) {
    return fail(raw, ErrorCode::ResourceExhausted, "out of memory");
  } catch (const std::exception& error) {
    return fail(raw, ErrorCode::Internal, "the adapter failed unexpectedly", error.what());
  } catch (...) {
    return fail(raw, ErrorCode::Internal, "the adapter failed unexpectedly", "unknown exception");
  }
}

inline void answer(const Call& call, const Json& result) {
  const std::string text = to_text(result);
  call.raw()->result(call.raw()->ctx, borrow(text));
}

/// Storage for one adapter's table entry: lives as long as the library.
struct AdapterHolder {
  std::string descriptor;
  dbackup_adapter adapter{};
};

}  // namespace dbackup::detail
