#include "worker/pipeline/stage.hpp"

#include <exception>
#include <new>

namespace dbackup::host {

namespace {

// Made beforehand: reporting that memory has run out must not need any.
const Cause& out_of_memory() noexcept {
  static const Cause cause =
      std::make_shared<const Error>(ErrorCode::ResourceExhausted, "out of memory", "", "memory");
  return cause;
}
[[maybe_unused]] const Cause& kMadeAtStart = out_of_memory();

}  // namespace

Cause make_cause(const Error& error) noexcept {
  try {
    return std::make_shared<const Error>(error);
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

Cause current_cause() noexcept {
  try {
    throw;
  } catch (const Error& error) {
    return make_cause(error);
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::exception& error) {
    return make_cause(Error{ErrorCode::Internal, "internal error", error.what()});
  } catch (...) {
    return make_cause(Error{ErrorCode::Internal, "internal error", "unknown exception"});
  }
}

void throw_cause(const Cause& cause) { throw Error{*cause}; }

}  // namespace dbackup::host
