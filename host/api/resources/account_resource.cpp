#include "api/resources/account_resource.hpp"

#include "api/multipart.hpp"
#include "api/render.hpp"
#include "api/render_accounts.hpp"
#include "api/schemas_accounts.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

constexpr int kNotBuilt[] = {501};
constexpr std::string_view kSection = "Account";
constexpr std::string_view kSso = "Identity providers";

Json no_providers() { return schema::wrapped(schema::list_of(schema::object({}))); }

}  // namespace

const Route<AccountResource> AccountResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/user/me",
     .access = Access::authenticated(),
     .handler = &AccountResource::me,
     .summary = "Who you are and what you may do",
     .section = kSection,
     .response = schemas::caller},
    {.method = Method::Put,
     .path = "/api/user/password",
     .access = Access::session_and(Permission::ProfileUpdatePassword),
     .handler = &AccountResource::change_password,
     .summary = "Change your password; your other sessions end",
     .section = kSection,
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::own_password,
     .response = schema::success_answer,
     .failures = kChangeFailures},
    {.method = Method::Get,
     .path = "/api/user/preferences",
     .access = Access::optional(),
     .handler = &AccountResource::preferences,
     .summary = "Your preferences, or the defaults",
     .section = kSection,
     .response = schemas::preferences},
    {.method = Method::Put,
     .path = "/api/user/preferences",
     .access = Access::session_only(),
     .handler = &AccountResource::set_preferences,
     .summary = "Change your preferences",
     .section = kSection,
     .body = BodyRule::Required,
     .request = schemas::preferences_update,
     .response = schemas::preferences},
    {.method = Method::Put,
     .path = "/api/user/avatar",
     .access = Access::session_only(),
     .handler = &AccountResource::set_avatar,
     .summary = "Your picture",
     .section = kSection,
     .run = HttpRun::Slow,
     .request = schemas::avatar_form,
     .response = schemas::avatar_answer,
     .consumes = "multipart/form-data",
     .body_limit = uint64_t{6} << 20},
    {.method = Method::Delete,
     .path = "/api/user/avatar",
     .access = Access::session_only(),
     .handler = &AccountResource::remove_avatar,
     .summary = "No picture any more",
     .section = kSection,
     .response = schema::success_answer},
    {.method = Method::Get,
     .path = "/api/avatar/{filename}",
     .access = Access::authenticated(),
     .handler = &AccountResource::avatar,
     .summary = "A user's picture",
     .section = kSection,
     .run = HttpRun::Slow,
     .failures = kMissing,
     .produces = "image/png"},
    {.method = Method::Get,
     .path = "/api/user/sso",
     .access = Access::session_only(),
     .handler = &AccountResource::sso_links,
     .summary = "Your linked logins; there are none yet",
     .section = kSso,
     .response = schemas::sso_links},
    {.method = Method::Delete,
     .path = "/api/user/sso/{providerId}/{accountId}",
     .access = Access::session_only(),
     .handler = &AccountResource::no_sso_link,
     .summary = "Give up a linked login",
     .section = kSso,
     .response = schema::success_answer},
    {.method = Method::Post,
     .path = "/api/user/sso/{providerId}/connect",
     .access = Access::session_only(),
     .handler = &AccountResource::no_sso,
     .summary = "Link an identity provider: not built, answers 501",
     .section = kSso,
     .response = schema::success_answer,
     .failures = kNotBuilt},
    {.method = Method::Get,
     .path = "/api/sso/public",
     .access = Access::anyone(),
     .handler = &AccountResource::sso_options,
     .summary = "The ways to sign in that this server offers",
     .section = kSso,
     .response = schemas::sso_options},
    {.method = Method::Get,
     .path = "/api/sso/providers",
     .access = Permission::SettingsRead,
     .handler = &AccountResource::sso_providers,
     .summary = "Identity providers; there are none yet",
     .section = kSso,
     .response = no_providers},
    {.method = Method::Post,
     .path = "/api/sso/providers",
     .access = Permission::SettingsWrite,
     .handler = &AccountResource::no_sso,
     .summary = "Add an identity provider: not built, answers 501",
     .section = kSso,
     .response = schema::success_answer,
     .failures = kNotBuilt},
    {.method = Method::Put,
     .path = "/api/sso/providers/{id}",
     .access = Permission::SettingsWrite,
     .handler = &AccountResource::no_sso_link,
     .summary = "Change an identity provider",
     .section = kSso,
     .response = schema::success_answer},
    {.method = Method::Delete,
     .path = "/api/sso/providers/{id}",
     .access = Permission::SettingsWrite,
     .handler = &AccountResource::no_sso_link,
     .summary = "Delete an identity provider",
     .section = kSso,
     .response = schema::success_answer},
    {.method = Method::Put,
     .path = "/api/sso/providers/{id}/enabled",
     .access = Permission::SettingsWrite,
     .handler = &AccountResource::no_sso_link,
     .summary = "Switch an identity provider on or off",
     .section = kSso,
     .response = schema::success_answer},
    {.method = Method::Get,
     .path = "/api/sso/providers/{id}/deletion-impact",
     .access = Permission::SettingsRead,
     .handler = &AccountResource::no_sso_link,
     .summary = "Who could not sign in any more",
     .section = kSso,
     .response = schema::success_answer},
};

void AccountResource::mount(RouteTable& table) { table.mount<AccountResource>(*this, kRoutes); }

HttpResponse AccountResource::me(const ApiRequest&, const Principal& who) {
  std::optional<User> user;
  if (!who.user_id.empty()) user = services_.users.find(who.user_id);
  return json_answer(200, render::wrapped(render::caller(who, user ? &*user : nullptr)));
}

HttpResponse AccountResource::change_password(const ApiRequest& request, const Principal& who) {
  services_.sign_in.change_password(who,
                                    SecretString{require_string(request.body, "currentPassword")},
                                    SecretString{require_string(request.body, "newPassword")},
                                    /*revoke_others=*/true);
  return json_answer(200, {{"success", true}});
}

HttpResponse AccountResource::preferences(const ApiRequest&, const Principal& who) {
  bool redirect = true;
  if (!who.user_id.empty()) {
    const auto user = services_.users.find(who.user_id);
    if (user) redirect = user->auto_redirect;
  }
  return json_answer(200, {{"autoRedirectOnJobStart", redirect}});
}

HttpResponse AccountResource::set_preferences(const ApiRequest& request, const Principal& who) {
  const bool redirect = get_bool(request.body, "autoRedirectOnJobStart").value_or(true);
  services_.users.set_preferences(who, redirect);
  return json_answer(200, {{"autoRedirectOnJobStart", redirect}});
}

HttpResponse AccountResource::set_avatar(const ApiRequest& request, const Principal& who) {
  const auto parts = parse_multipart(request.http.headers.get("Content-Type"), request.http.body);
  return json_answer(200, render::wrapped({{"url", services_.users.set_avatar(
                                                       who, require_part(parts, "file").data)}}));
}

HttpResponse AccountResource::remove_avatar(const ApiRequest&, const Principal& who) {
  services_.users.remove_avatar(who);
  return json_answer(200, {{"success", true}});
}

HttpResponse AccountResource::avatar(const ApiRequest& request, const Principal&) {
  const std::string& name = request.param();
  if (name.find('/') != std::string::npos || name.find('\\') != std::string::npos ||
      name.find("..") != std::string::npos) {
    throw Error(ErrorCode::InvalidArgument, "the name of an image is expected, not a path");
  }
  Avatar found = services_.users.avatar(name);
  HttpResponse response = HttpResponse::text(200, std::move(found.data), found.content_type);
  response.headers.set("Cache-Control", "private, max-age=3600");
  return response;
}

HttpResponse AccountResource::sso_links(const ApiRequest&, const Principal&) {
  return json_answer(200, render::wrapped({{"connections", Json::array()},
                                           {"connectableProviders", Json::array()},
                                           {"totalAccountCount", 1}}));
}

HttpResponse AccountResource::no_sso_link(const ApiRequest&, const Principal&) {
  throw Error(ErrorCode::NotFound, "there is no such identity provider");
}

HttpResponse AccountResource::no_sso(const ApiRequest&, const Principal&) {
  throw Error(ErrorCode::Unimplemented, "identity providers are not built yet");
}

HttpResponse AccountResource::sso_options(const ApiRequest&, const Principal&) {
  return json_answer(200,
                     render::wrapped({{"providers", Json::array()},
                                      {"emailLogin", !services_.control.context().live.now()->flag(
                                                         "auth.disable_email_login")},
                                      {"passkeyLogin", false},
                                      {"signUp", services_.sign_in.is_sign_up_open()}}));
}

HttpResponse AccountResource::sso_providers(const ApiRequest&, const Principal&) {
  return json_answer(200, render::wrapped(Json::array()));
}

}  // namespace dbackup::host
