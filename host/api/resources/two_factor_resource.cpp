#include "api/resources/two_factor_resource.hpp"

#include "api/cookies.hpp"
#include "api/render_accounts.hpp"
#include "api/resources/auth_resource.hpp"
#include "api/schemas_accounts.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

constexpr int kCodeFailures[] = {400, 401, 403, 429};
constexpr std::string_view kSection = "Sign-in";

SecretString password(const ApiRequest& request) {
  return SecretString{require_string(request.body, "password")};
}

}  // namespace

const Route<TwoFactorResource> TwoFactorResource::kRoutes[] = {
    {.method = Method::Post,
     .path = "/api/auth/two-factor/enable",
     .access = Access::session_and(Permission::ProfileManage2fa),
     .handler = &TwoFactorResource::enable,
     .summary = "Begin with a second factor; in force after the first right code",
     .section = kSection,
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::password_body,
     .response = schemas::two_factor_setup,
     .sign_in = true},
    {.method = Method::Post,
     .path = "/api/auth/two-factor/disable",
     .access = Access::session_and(Permission::ProfileManage2fa),
     .handler = &TwoFactorResource::disable,
     .summary = "Give up the second factor",
     .section = kSection,
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::password_body,
     .response = schemas::status_answer,
     .sign_in = true},
    {.method = Method::Post,
     .path = "/api/auth/two-factor/generate-backup-codes",
     .access = Access::session_and(Permission::ProfileManage2fa),
     .handler = &TwoFactorResource::new_backup_codes,
     .summary = "New backup codes; the old ones end",
     .section = kSection,
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::password_body,
     .response = schemas::backup_codes,
     .sign_in = true},
    {.method = Method::Post,
     .path = "/api/auth/two-factor/get-totp-uri",
     .access = Access::session_and(Permission::ProfileManage2fa),
     .handler = &TwoFactorResource::totp_uri,
     .summary = "The secret once more, for another authenticator",
     .section = kSection,
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::password_body,
     .response = schemas::totp_uri_answer,
     .sign_in = true},
    {.method = Method::Post,
     .path = "/api/auth/two-factor/verify-totp",
     .access = Access::anyone(),
     .handler = &TwoFactorResource::verify_totp,
     .summary = "Answer with a code of the authenticator",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::code_body,
     .response = schemas::user_with_token,
     .failures = kCodeFailures,
     .sign_in = true},
    {.method = Method::Post,
     .path = "/api/auth/two-factor/verify-backup-code",
     .access = Access::anyone(),
     .handler = &TwoFactorResource::verify_backup_code,
     .summary = "Answer with a backup code, which counts once",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::code_body,
     .response = schemas::user_with_token,
     .failures = kCodeFailures,
     .sign_in = true},
};

void TwoFactorResource::mount(RouteTable& table) { table.mount<TwoFactorResource>(*this, kRoutes); }

HttpResponse TwoFactorResource::enable(const ApiRequest& request, const Principal& who) {
  const TwoFactorSetup setup = services_.two_factor.enable(who, password(request));
  return secret_answer(200, {{"totpURI", setup.uri}, {"backupCodes", setup.backup_codes}});
}

HttpResponse TwoFactorResource::disable(const ApiRequest& request, const Principal& who) {
  services_.two_factor.disable(who, password(request));
  return json_answer(200, {{"status", true}});
}

HttpResponse TwoFactorResource::new_backup_codes(const ApiRequest& request, const Principal& who) {
  return secret_answer(
      200, {{"status", true},
            {"backupCodes", services_.two_factor.new_backup_codes(who, password(request))}});
}

HttpResponse TwoFactorResource::totp_uri(const ApiRequest& request, const Principal& who) {
  return secret_answer(200, {{"totpURI", services_.two_factor.uri(who, password(request))}});
}

HttpResponse TwoFactorResource::passed(const TwoFactorPassed& result,
                                       const std::string& session_id) const {
  const std::string token = result.opened ? result.opened->session.id : session_id;
  HttpResponse response =
      secret_answer(200, {{"token", token}, {"user", render::account(result.user)}});
  if (result.opened) {
    set_session_cookie(response, *result.opened, is_https_);
    response.headers.add("Set-Cookie", set_cookie(kChallengeCookie, "", 0, is_https_));
  }
  if (!result.device.empty()) {
    response.headers.add("Set-Cookie", set_cookie(kDeviceCookie, result.device.reveal(),
                                                  kTrustedDeviceLifetime, is_https_));
  }
  return response;
}

HttpResponse TwoFactorResource::verify_totp(const ApiRequest& request, const Principal& who) {
  const auto current = services_.sign_in.current(session_token(request.http));
  return passed(
      services_.two_factor.verify_totp(who, cookie(request.http, kChallengeCookie), current,
                                       require_string(request.body, "code"),
                                       get_bool(request.body, "trustDevice").value_or(false)),
      current ? current->session.id : "");
}

HttpResponse TwoFactorResource::verify_backup_code(const ApiRequest& request,
                                                   const Principal& who) {
  const auto current = services_.sign_in.current(session_token(request.http));
  return passed(services_.two_factor.verify_backup_code(
                    who, cookie(request.http, kChallengeCookie), current,
                    require_string(request.body, "code"),
                    get_bool(request.body, "trustDevice").value_or(false)),
                current ? current->session.id : "");
}

}  // namespace dbackup::host
