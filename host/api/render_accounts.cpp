#include "api/render_accounts.hpp"

#include "api/render.hpp"
#include "model/nouns.hpp"

namespace dbackup::host::render {
namespace {

Json group_of(const User& user) {
  if (user.group_id.empty()) return nullptr;
  return {{"id", user.group_id}, {"name", user.group_name}};
}

}  // namespace

Json account(const User& user) {
  return {{"id", user.id},
          {"name", user.name},
          {"email", user.email},
          {"emailVerified", false},
          {"image", text_or_null(user.image)},
          {"createdAt", format_iso8601(user.created_at)},
          {"updatedAt", format_iso8601(user.updated_at)},
          {"twoFactorEnabled", user.two_factor_enabled},
          {"timezone", user.timezone},
          {"dateFormat", user.date_format},
          {"timeFormat", user.time_format},
          {"passkeyTwoFactor", user.passkey_two_factor}};
}

Json user(const User& user) {
  Json out = account(user);
  out["groupId"] = text_or_null(user.group_id);
  out["group"] = group_of(user);
  out["lastLogin"] = date_or_null(user.last_login_at);
  out["autoRedirectOnJobStart"] = user.auto_redirect;
  return out;
}

Json user_session(const UserSession& session) {
  return {{"id", session.id},
          {"token", session.id},
          {"userId", session.user_id},
          {"expiresAt", format_iso8601(session.expires_at)},
          {"createdAt", format_iso8601(session.created_at)},
          {"updatedAt", format_iso8601(session.updated_at)},
          {"ipAddress", text_or_null(session.ip_address)},
          {"userAgent", text_or_null(session.user_agent)}};
}

Json group(const UserGroup& group) {
  return {{"id", group.id},
          {"name", group.name},
          {"permissions", permission_names(group.permissions)},
          {"userCount", group.user_count},
          {"createdAt", format_iso8601(group.created_at)},
          {"updatedAt", format_iso8601(group.updated_at)}};
}

Json api_key(const ApiKey& key) {
  return {{"id", key.id},
          {"name", key.name},
          {"prefix", key.prefix},
          {"permissions", permission_names(key.permissions)},
          {"userId", text_or_null(key.user_id)},
          {"userName", text_or_null(key.user_name)},
          {"userEmail", text_or_null(key.user_email)},
          {"expiresAt", date_or_null(key.expires_at)},
          {"lastUsedAt", date_or_null(key.last_used_at)},
          {"enabled", key.enabled},
          {"createdAt", format_iso8601(key.created_at)}};
}

Json caller(const Principal& who, const User* person) {
  PermissionSet held = who.permissions;
  if (who.is_super_admin) held.set();
  const bool is_session = who.kind == PrincipalKind::Session;
  Json out{{"user", person != nullptr ? user(*person) : Json{}},
           {"group", is_session && person != nullptr ? group_of(*person) : Json{}},
           {"permissions", permission_names(held)},
           {"isSuperAdmin", who.is_super_admin},
           {"method", is_session ? "session" : "apikey"}};
  if (!is_session) out["apiKey"] = {{"id", who.id}, {"name", who.name}};
  return out;
}

}  // namespace dbackup::host::render
