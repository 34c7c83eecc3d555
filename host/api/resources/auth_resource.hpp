#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;
struct SignedIn;

/// How this server is reached, as cookies and links need to know it.
struct SignInAddress {
  std::string public_url;  ///< "": taken from each request
  bool is_https = false;
};

/// Signing up, in and out, sessions, and the parts of the sign-in family that are not built:
/// passkeys and identity providers.
class AuthResource {
 public:
  AuthResource(Services& services, SignInAddress address)
      : services_{services}, address_{std::move(address)} {}
  void mount(RouteTable& table);

 private:
  HttpResponse ok(const ApiRequest& request, const Principal& who);
  HttpResponse sign_up(const ApiRequest& request, const Principal& who);
  HttpResponse sign_in(const ApiRequest& request, const Principal& who);
  HttpResponse sign_out(const ApiRequest& request, const Principal& who);
  HttpResponse get_session(const ApiRequest& request, const Principal& who);
  HttpResponse list_sessions(const ApiRequest& request, const Principal& who);
  HttpResponse revoke_session(const ApiRequest& request, const Principal& who);
  HttpResponse revoke_other_sessions(const ApiRequest& request, const Principal& who);
  HttpResponse revoke_sessions(const ApiRequest& request, const Principal& who);
  HttpResponse change_password(const ApiRequest& request, const Principal& who);
  HttpResponse update_user(const ApiRequest& request, const Principal& who);
  HttpResponse list_accounts(const ApiRequest& request, const Principal& who);
  HttpResponse unlink_account(const ApiRequest& request, const Principal& who);
  HttpResponse show_error(const ApiRequest& request, const Principal& who);
  HttpResponse not_built(const ApiRequest& request, const Principal& who);

  std::string checked_callback(const ApiRequest& request) const;
  static const Route<AuthResource> kRoutes[];

  Services& services_;
  SignInAddress address_;
};

/// Sets the session's cookie.
void set_session_cookie(HttpResponse& response, const SignedIn& session, bool is_https);

}  // namespace dbackup::host
