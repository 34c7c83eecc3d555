#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/http_message.hpp"
#include "base/clock.hpp"

/// The cookies of the sign-in family (RFC 6265). Over https their names begin with "__Secure-".
namespace dbackup::host {

inline constexpr std::string_view kSessionCookie = "better-auth.session_token";
inline constexpr std::string_view kChallengeCookie = "better-auth.two_factor";
inline constexpr std::string_view kDeviceCookie = "better-auth.trust_device";

/// Its value, under the plain name or the one for https; "" when it is not there.
std::string cookie(const HttpRequest& request, std::string_view name);
inline std::string session_token(const HttpRequest& request) {
  return cookie(request, kSessionCookie);
}

/// The text of a Set-Cookie field: HttpOnly, SameSite=Lax, for the whole origin. `lifetime`
/// nullopt: until the browser ends; 0: it goes at once.
std::string set_cookie(std::string_view name, std::string_view value,
                       std::optional<TimeMs> lifetime, bool is_https);

}  // namespace dbackup::host
