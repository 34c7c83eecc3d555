#include "api/resources/auth_resource.hpp"

#include "api/cookies.hpp"
#include "api/origin_check.hpp"
#include "api/public_address.hpp"
#include "api/render_accounts.hpp"
#include "api/schemas_accounts.hpp"
#include "base/encoding.hpp"
#include "services/account_rules.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

constexpr int kSignUpFailures[] = {403, 422, 501};
constexpr int kSignInFailures[] = {401, 403};
constexpr int kPasswordFailures[] = {400, 409};
constexpr int kNotBuilt[] = {501};
constexpr std::string_view kSection = "Sign-in";

SecretString secret(const Json& body, const char* name) {
  return SecretString{require_string(body, name)};
}

}  // namespace

void set_session_cookie(HttpResponse& response, const SignedIn& session, bool is_https) {
  std::optional<TimeMs> lifetime;
  if (session.session.remember) lifetime = session.session.expires_at - session.session.updated_at;
  response.headers.add("Set-Cookie",
                       set_cookie(kSessionCookie, session.cookie.reveal(), lifetime, is_https));
}

const Route<AuthResource> AuthResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/auth/ok",
     .access = Access::anyone(),
     .handler = &AuthResource::ok,
     .summary = "Whether signing in is there",
     .section = kSection,
     .response = schemas::ok_answer},
    {.method = Method::Post,
     .path = "/api/auth/sign-up/email",
     .access = Access::anyone(),
     .handler = &AuthResource::sign_up,
     .summary = "Make an account; the first one is SuperAdmin, later ones need self-registration",
     .section = kSection,
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::sign_up,
     .response = schemas::user_with_token,
     .failures = kSignUpFailures,
     .sign_in = true},
    {.method = Method::Post,
     .path = "/api/auth/sign-in/email",
     .access = Access::anyone(),
     .handler = &AuthResource::sign_in,
     .summary = "Sign in with e-mail address and password",
     .section = kSection,
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::sign_in,
     .response = schemas::sign_in_answer,
     .failures = kSignInFailures,
     .sign_in = true},
    {.method = Method::Post,
     .path = "/api/auth/sign-out",
     .access = Access::anyone(),
     .handler = &AuthResource::sign_out,
     .summary = "End this session",
     .section = kSection,
     .response = schema::success_answer,
     .sign_in = true},
    {.method = Method::Get,
     .path = "/api/auth/get-session",
     .access = Access::anyone(),
     .handler = &AuthResource::get_session,
     .summary = "The session of the cookie, or null",
     .section = kSection,
     .response = schemas::user_session,
     .sign_in = true},
    {.method = Method::Get,
     .path = "/api/auth/list-sessions",
     .access = Access::signed_in(),
     .handler = &AuthResource::list_sessions,
     .summary = "Your sessions, newest first",
     .section = kSection,
     .response = schemas::session_list,
     .sign_in = true},
    {.method = Method::Post,
     .path = "/api/auth/revoke-session",
     .access = Access::signed_in(),
     .handler = &AuthResource::revoke_session,
     .summary = "End one of your sessions",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::revoke_session,
     .response = schemas::status_answer,
     .sign_in = true},
    {.method = Method::Post,
     .path = "/api/auth/revoke-other-sessions",
     .access = Access::signed_in(),
     .handler = &AuthResource::revoke_other_sessions,
     .summary = "End all your sessions but this one",
     .section = kSection,
     .response = schemas::status_answer,
     .sign_in = true},
    {.method = Method::Post,
     .path = "/api/auth/revoke-sessions",
     .access = Access::signed_in(),
     .handler = &AuthResource::revoke_sessions,
     .summary = "End all your sessions",
     .section = kSection,
     .response = schemas::status_answer,
     .sign_in = true},
    {.method = Method::Post,
     .path = "/api/auth/change-password",
     .access = Access::session_and(Permission::ProfileUpdatePassword),
     .handler = &AuthResource::change_password,
     .summary = "Change your password; the current one is checked",
     .section = kSection,
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::change_password,
     .response = schemas::user_with_token,
     .failures = kPasswordFailures,
     .sign_in = true},
    {.method = Method::Post,
     .path = "/api/auth/update-user",
     .access = Access::session_only(),
     .handler = &AuthResource::update_user,
     .summary = "Change your name, picture, time zone and formats",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::update_account,
     .response = schemas::status_answer,
     .sign_in = true},
    {.method = Method::Get,
     .path = "/api/auth/list-accounts",
     .access = Access::signed_in(),
     .handler = &AuthResource::list_accounts,
     .summary = "Your ways to sign in",
     .section = kSection,
     .response = schemas::linked_accounts,
     .sign_in = true},
    {.method = Method::Post,
     .path = "/api/auth/unlink-account",
     .access = Access::signed_in(),
     .handler = &AuthResource::unlink_account,
     .summary = "Give up a way to sign in; never the last one",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::unlink_account,
     .response = schemas::status_answer,
     .sign_in = true},
    {.method = Method::Get,
     .path = "/api/auth/error/error",
     .access = Access::anyone(),
     .handler = &AuthResource::show_error,
     .summary = "Sends a browser to the start page with the error",
     .section = kSection,
     .query = schemas::auth_error_query,
     .success = 302,
     .produces = ""},
    {.method = Method::Get,
     .path = "/api/auth/sso-link-callback",
     .access = Access::session_only(),
     .handler = &AuthResource::not_built,
     .summary = "Linking an identity provider: not built, answers 501",
     .section = kSection,
     .query = schemas::sso_callback_query,
     .response = schemas::status_answer,
     .failures = kNotBuilt,
     .sign_in = true},
    {.method = Method::Post,
     .path = "/api/auth/sign-in/sso",
     .access = Access::anyone(),
     .handler = &AuthResource::not_built,
     .summary = "Signing in by an identity provider: not built, answers 501",
     .section = kSection,
     .response = schemas::status_answer,
     .failures = kNotBuilt,
     .sign_in = true},
    {.method = Method::Get,
     .path = "/api/auth/sso/callback/{providerId}",
     .access = Access::anyone(),
     .handler = &AuthResource::not_built,
     .summary = "Return from an identity provider: not built, answers 501",
     .section = kSection,
     .response = schemas::status_answer,
     .failures = kNotBuilt,
     .sign_in = true},
    {.method = Method::Get,
     .path = "/api/auth/passkey/{operation}",
     .access = Access::anyone(),
     .handler = &AuthResource::not_built,
     .summary = "Passkeys: not built, answers 501",
     .section = kSection,
     .response = schemas::status_answer,
     .failures = kNotBuilt,
     .sign_in = true},
    {.method = Method::Post,
     .path = "/api/auth/passkey/{operation}",
     .access = Access::anyone(),
     .handler = &AuthResource::not_built,
     .summary = "Passkeys: not built, answers 501",
     .section = kSection,
     .response = schemas::status_answer,
     .failures = kNotBuilt,
     .sign_in = true},
};

void AuthResource::mount(RouteTable& table) { table.mount<AuthResource>(*this, kRoutes); }

HttpResponse AuthResource::ok(const ApiRequest&, const Principal&) {
  return json_answer(200, {{"ok", true}});
}

HttpResponse AuthResource::sign_up(const ApiRequest& request, const Principal& who) {
  const Json& body = request.body;
  SignUpFields fields{.name = require_string(body, "name"),
                      .email = require_string(body, "email"),
                      .password = secret(body, "password"),
                      .profile = body,
                      .image = get_string(body, "image").value_or(""),
                      .remember = get_bool(body, "rememberMe").value_or(true)};
  if (get_bool(body, "passkeyTwoFactor").value_or(false))
    throw Error(ErrorCode::Unimplemented, "passkeys are not built yet");
  const SignedIn made = services_.sign_in.sign_up(who, fields);
  HttpResponse response =
      secret_answer(200, {{"token", made.session.id}, {"user", render::account(made.user)}});
  set_session_cookie(response, made, address_.is_https);
  return response;
}

/// An address on this server only: whoever may choose it must not lead people elsewhere.
std::string AuthResource::checked_callback(const ApiRequest& request) const {
  const std::string url = get_string(request.body, "callbackURL").value_or("");
  if (url.empty()) return "";
  const bool is_path =
      url.starts_with('/') && !url.starts_with("//") && url.find('\\') == std::string::npos;
  const bool is_own = !origin_of(url).empty() &&
                      origin_of(url) == origin_of(public_address(request.http, address_.public_url,
                                                                 address_.is_https));
  const bool is_clean = url.find_first_of("\r\n\t ") == std::string::npos;
  if (!is_clean || (!is_path && !is_own)) {
    refuse_account(ErrorCode::PermissionDenied, "INVALID_CALLBACK_URL",
                   "\"callbackURL\" must lead to this server");
  }
  return url;
}

HttpResponse AuthResource::sign_in(const ApiRequest& request, const Principal& who) {
  const Json& body = request.body;
  const std::string callback = checked_callback(request);
  const SignInResult result = services_.sign_in.sign_in(
      who, require_string(body, "email"), secret(body, "password"),
      get_bool(body, "rememberMe").value_or(true), cookie(request.http, kDeviceCookie));
  if (!result.done) {
    HttpResponse response =
        secret_answer(200, {{"twoFactorRedirect", true}, {"twoFactorMethods", {"totp"}}});
    response.headers.add("Set-Cookie", set_cookie(kChallengeCookie, result.challenge.reveal(),
                                                  kChallengeLifetime, address_.is_https));
    return response;
  }
  Json answer{{"redirect", !callback.empty()},
              {"token", result.done->session.id},
              {"user", render::account(result.done->user)}};
  if (!callback.empty()) answer["url"] = callback;
  HttpResponse response = secret_answer(200, answer);
  if (!callback.empty()) response.headers.set("Location", callback);
  set_session_cookie(response, *result.done, address_.is_https);
  return response;
}

HttpResponse AuthResource::sign_out(const ApiRequest& request, const Principal& who) {
  services_.sign_in.sign_out(who, session_token(request.http));
  HttpResponse response = secret_answer(200, {{"success", true}});
  response.headers.add("Set-Cookie", set_cookie(kSessionCookie, "", 0, address_.is_https));
  return response;
}

HttpResponse AuthResource::get_session(const ApiRequest& request, const Principal&) {
  const std::string token = session_token(request.http);
  auto current = services_.sign_in.current(token);
  if (!current) return secret_answer(200, nullptr);
  HttpResponse response = secret_answer(200, {{"session", render::user_session(current->session)},
                                              {"user", render::account(current->user)}});
  // The browser's copy lives as long as the session, which may have been prolonged.
  current->cookie = SecretString{token};
  const TimeMs left = current->session.expires_at - services_.control.context().clock.now_ms();
  response.headers.add("Set-Cookie",
                       set_cookie(kSessionCookie, token,
                                  current->session.remember ? std::optional{left} : std::nullopt,
                                  address_.is_https));
  return response;
}

HttpResponse AuthResource::list_sessions(const ApiRequest&, const Principal& who) {
  Json out = Json::array();
  for (const auto& session : services_.sign_in.sessions(who))
    out.push_back(render::user_session(session));
  return json_answer(200, out);
}

HttpResponse AuthResource::revoke_session(const ApiRequest& request, const Principal& who) {
  services_.sign_in.revoke(who, require_string(request.body, "token"));
  return json_answer(200, {{"status", true}});
}

HttpResponse AuthResource::revoke_other_sessions(const ApiRequest&, const Principal& who) {
  services_.sign_in.revoke_all(who, /*keep_current=*/true);
  return json_answer(200, {{"status", true}});
}

HttpResponse AuthResource::revoke_sessions(const ApiRequest&, const Principal& who) {
  services_.sign_in.revoke_all(who, /*keep_current=*/false);
  return json_answer(200, {{"status", true}});
}

HttpResponse AuthResource::change_password(const ApiRequest& request, const Principal& who) {
  const bool revoke = get_bool(request.body, "revokeOtherSessions").value_or(false);
  const User user = services_.sign_in.change_password(who, secret(request.body, "currentPassword"),
                                                      secret(request.body, "newPassword"), revoke);
  return json_answer(200,
                     {{"token", revoke ? Json(who.id) : Json{}}, {"user", render::account(user)}});
}

HttpResponse AuthResource::update_user(const ApiRequest& request, const Principal& who) {
  if (request.body.contains("email")) {
    refuse_account(ErrorCode::InvalidArgument, "EMAIL_CAN_NOT_BE_UPDATED",
                   "the e-mail address is changed by PUT /api/users/{id}");
  }
  services_.users.update(who, who.user_id, request.body);
  return json_answer(200, {{"status", true}});
}

HttpResponse AuthResource::list_accounts(const ApiRequest&, const Principal& who) {
  const User user = services_.users.get(who.user_id);
  return json_answer(200, Json::array({{{"id", user.id},
                                        {"providerId", "credential"},
                                        {"accountId", user.id},
                                        {"createdAt", format_iso8601(user.created_at)}}}));
}

HttpResponse AuthResource::unlink_account(const ApiRequest& request, const Principal&) {
  if (require_string(request.body, "providerId") != "credential") {
    refuse_account(ErrorCode::InvalidArgument, "ACCOUNT_NOT_FOUND", "no such linked login");
  }
  refuse_account(ErrorCode::InvalidArgument, "FAILED_TO_UNLINK_LAST_ACCOUNT",
                 "the last way to sign in cannot be given up");
}

HttpResponse AuthResource::show_error(const ApiRequest& request, const Principal&) {
  HttpResponse response{.status = 302};
  const std::string error = request.query("error");
  response.headers.set("Location",
                       "/?error=sso_" + percent_encode(error.empty() ? "error" : error));
  return response;
}

HttpResponse AuthResource::not_built(const ApiRequest&, const Principal&) {
  throw Error(ErrorCode::Unimplemented,
              "passkeys and identity providers are not built yet: sign in with a password");
}

}  // namespace dbackup::host
