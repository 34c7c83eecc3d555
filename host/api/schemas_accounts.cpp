#include "api/schemas_accounts.hpp"

#include "api/bulk_body.hpp"

namespace dbackup::host::schemas {

using namespace schema;

namespace {

Json user_fields() {
  return object({required("id", text()), required("name", text()), required("email", text()),
                 required("emailVerified", flag()), required("image", nullable(text())),
                 required("createdAt", date()), required("updatedAt", date()),
                 required("twoFactorEnabled", nullable(flag())), required("timezone", text()),
                 required("dateFormat", text()), required("timeFormat", text()),
                 required("passkeyTwoFactor", flag())});
}
Json account() { return titled("Account", user_fields()); }
Json named() { return object({required("id", text()), required("name", text())}); }

Json user() {
  return titled("User",
                merged(user_fields(), object({required("groupId", nullable(text())),
                                              required("group", nullable(named())),
                                              required("lastLogin", nullable(date())),
                                              required("autoRedirectOnJobStart", flag())})));
}

Json session() {
  return titled(
      "Session",
      object({required("id", text()),
              required("token", described(text(), "names the session; opens nothing")),
              required("userId", text()), required("expiresAt", date()),
              required("createdAt", date()), required("updatedAt", date()),
              required("ipAddress", nullable(text())), required("userAgent", nullable(text()))}));
}

Json profile_fields() {
  return object({optional("timezone", nullable(described(text(0, 64), "IANA name, or empty"))),
                 optional("dateFormat", nullable(text(1, 40))),
                 optional("timeFormat", nullable(text(1, 40)))});
}

Json group() {
  return titled("Group",
                object({required("id", text()), required("name", text()),
                        required("permissions", list_of(text())), required("userCount", integer()),
                        required("createdAt", date()), required("updatedAt", date())}));
}

Json api_key() {
  return titled(
      "ApiKey",
      object({required("id", text()), required("name", text()), required("prefix", text()),
              required("permissions", list_of(text())), required("userId", nullable(text())),
              required("userName", nullable(text())), required("userEmail", nullable(text())),
              required("expiresAt", nullable(date())), required("lastUsedAt", nullable(date())),
              required("enabled", flag()), required("createdAt", date())}));
}

Json password() { return described(text(0, 1000), "8 to 128 characters"); }

}  // namespace

Json sign_up() {
  return merged(object({required("name", text(1, 100)), required("email", text(0, 1000)),
                        required("password", password())}),
                merged(profile_fields(), object({optional("image", nullable(text(0, 2000))),
                                                 optional("callbackURL", nullable(text(0, 2000))),
                                                 optional("rememberMe", nullable(flag())),
                                                 optional("passkeyTwoFactor", nullable(flag()))})));
}
Json sign_in() {
  return object({required("email", text(0, 1000)), required("password", text(0, 1000)),
                 optional("rememberMe", nullable(flag())),
                 optional("callbackURL", nullable(text(0, 2000)))});
}
Json sign_in_answer() {
  return either({object({required("redirect", flag()), required("token", text()),
                         optional("url", text()), required("user", account())}),
                 object({required("twoFactorRedirect", flag()),
                         required("twoFactorMethods", list_of(text()))})});
}
Json user_with_token() {
  return object({required("token", nullable(text())), required("user", account())});
}
Json user_session() {
  return either({object({required("session", session()), required("user", account())}),
                 Json{{"type", "null"}}});
}
Json session_list() { return list_of(session()); }
Json revoke_session() { return object({required("token", text(0, 200))}); }
Json change_password() {
  return object({required("currentPassword", text(0, 1000)), required("newPassword", password()),
                 optional("revokeOtherSessions", nullable(flag()))});
}
Json update_account() {
  return merged(object({optional("name", text(1, 100)), optional("image", nullable(text(0, 2000))),
                        optional("email", described(any(), "refused"))}),
                profile_fields());
}
Json password_body() { return object({required("password", text(0, 1000))}); }
Json two_factor_setup() {
  return object({required("totpURI", described(text(), "for the authenticator application")),
                 required("backupCodes", list_of(text()))});
}
Json backup_codes() {
  return object({required("status", flag()), required("backupCodes", list_of(text()))});
}
Json totp_uri_answer() { return object({required("totpURI", text())}); }
Json code_body() {
  return object({required("code", text(0, 100)), optional("trustDevice", nullable(flag()))});
}
Json status_answer() { return object({required("status", flag())}); }
Json ok_answer() { return object({required("ok", flag())}); }
Json linked_accounts() {
  return list_of(object({required("id", text()), required("providerId", text()),
                         required("accountId", text()), required("createdAt", date())}));
}
Json unlink_account() {
  return object(
      {required("providerId", text(1, 200)), optional("accountId", nullable(text(0, 200)))});
}
Json auth_error_query() { return object({optional("error", text())}); }
Json sso_callback_query() { return object({optional("t", text())}); }
Json sso_options() {
  return wrapped(object({required("providers", list_of(object({required("providerId", text())}))),
                         required("emailLogin", flag()), required("passkeyLogin", flag()),
                         required("signUp", flag())}));
}
Json sso_links() {
  return wrapped(
      object({required("connections", list_of(object({required("providerId", text())}))),
              required("connectableProviders", list_of(object({required("providerId", text())}))),
              required("totalAccountCount", integer())}));
}

Json users() { return wrapped(list_of(user())); }
Json user_answer() { return wrapped(user()); }
Json user_create() {
  return merged(
      object({required("name", text(2, 100)), required("email", text(0, 1000)),
              required("password", password()), optional("groupId", nullable(text(0, 100)))}),
      profile_fields());
}
Json user_update() {
  return merged(object({optional("name", text(1, 100)), optional("email", text(0, 1000))}),
                profile_fields());
}
Json user_group_body() { return object({required("groupId", nullable(text(0, 100)))}); }
Json enabled_body() { return object({required("enabled", flag())}); }
Json bulk_delete() { return bulk_request({"delete"}); }
Json own_password() {
  return object({required("currentPassword", text(0, 1000)), required("newPassword", password())});
}
Json preferences() { return object({required("autoRedirectOnJobStart", flag())}); }
Json preferences_update() { return object({required("autoRedirectOnJobStart", flag())}); }
Json avatar_form() {
  return object({required("file", described({{"type", "string"}, {"format", "binary"}},
                                            "JPEG, PNG, GIF or WEBP, at most 5 MB"))});
}
Json avatar_answer() { return wrapped(object({required("url", text())})); }
Json caller() {
  return wrapped(
      object({required("user", nullable(user())), required("group", nullable(named())),
              required("permissions", list_of(text())), required("isSuperAdmin", flag()),
              required("method", one_of({"apikey", "session"})), optional("apiKey", named())}));
}

Json groups() { return wrapped(list_of(group())); }
Json group_answer() { return wrapped(group()); }
Json group_create() {
  return object({required("name", text(1, 100)), required("permissions", list_of(text(), 0, 100))});
}
Json group_update() {
  return object({optional("name", text(1, 100)), optional("permissions", list_of(text(), 0, 100))});
}

Json api_key_answer() { return wrapped(api_key()); }
Json api_keys() { return wrapped(list_of(api_key())); }
Json api_key_create() {
  return object({required("name", text(1, 100)), required("permissions", list_of(text(), 1, 100)),
                 optional("expiresAt", nullable(date()))});
}
Json api_key_update() {
  return object({optional("name", text(1, 100)), optional("permissions", list_of(text(), 1, 100)),
                 optional("enabled", flag()), optional("expiresAt", nullable(date()))});
}
Json api_key_created() {
  return wrapped(
      object({required("apiKey", api_key()),
              required("rawKey", described(text(), "the key itself; shown this once"))}));
}
Json api_keys_bulk() { return bulk_request({"delete", "enable", "disable"}); }

}  // namespace dbackup::host::schemas
