#include "services/oauth.hpp"

#include "base/error.hpp"
#include "control/control_plane.hpp"

namespace dbackup::host {

std::string OAuthService::refusal(const std::string& kind) const {
  return control_.plugins().find(kind) ? "signing in to \"" + kind + "\" is not built yet"
                                       : "unsupported adapter \"" + kind + "\"";
}

void OAuthService::refuse(const std::string& kind) const {
  const bool is_installed = control_.plugins().find(kind) != nullptr;
  throw Error(is_installed ? ErrorCode::Unimplemented : ErrorCode::InvalidArgument, refusal(kind));
}

}  // namespace dbackup::host
