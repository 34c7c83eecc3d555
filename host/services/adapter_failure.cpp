#include "services/adapter_failure.hpp"

#include <array>

namespace dbackup::host {

void as_adapter_failure(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    const bool is_ours = error.reason() == "busy" || error.reason() == "worker_crashed" ||
                         error.reason() == "worker_protocol";
    constexpr std::array kOfTheServer{ErrorCode::PermissionDenied, ErrorCode::Unauthenticated,
                                      ErrorCode::Unavailable};
    for (const ErrorCode code : kOfTheServer) {
      if (!is_ours && error.code() == code) {
        throw Error(ErrorCode::Unavailable, error.what(), error.detail(), "adapter");
      }
    }
    throw;
  }
}

void as_key_failure(const std::string& profile_id, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    if (error.reason() != "encryption_key_required") throw;
    throw Error(ErrorCode::FailedPrecondition, error.what(), profile_id, "encryption_key_required");
  }
}

}  // namespace dbackup::host
