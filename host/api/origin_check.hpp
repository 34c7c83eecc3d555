#pragma once

#include <string>

#include "api/http_message.hpp"
#include "base/settings.hpp"

namespace dbackup::host {

/// Refuses changes that another site's page made a browser send with our cookie. Good are requests
/// that the browser itself calls same-origin or typed by its user, and those whose Origin (or
/// Referer) is the public address, one of `auth.allowed_origins`, or the host that was asked.
/// [any-thread]
class OriginCheck {
 public:
  /// `live` must outlive it. `public_url`: as configured, "" for none.
  OriginCheck(const LiveSettings& live, std::string public_url)
      : live_{live}, public_url_{std::move(public_url)} {}

  /// Throws Error{PermissionDenied} with the reason MISSING_OR_NULL_ORIGIN or INVALID_ORIGIN.
  void require(const HttpRequest& request) const;

 private:
  const LiveSettings& live_;
  std::string public_url_;
};

/// "https://host:port" of an address, lower-case, without a default port; "" when it is none.
std::string origin_of(std::string_view url);

}  // namespace dbackup::host
