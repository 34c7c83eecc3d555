#include "services/account_rules.hpp"

#include <algorithm>

#include "base/id.hpp"
#include "control/time_zone.hpp"
#include "crypto/password.hpp"
#include "store/before_write.hpp"
#include "store/user_store.hpp"

namespace dbackup::host {
namespace {

bool is_email(const std::string& text) {
  const size_t at = text.find('@');
  if (at == std::string::npos || at == 0 || at + 1 == text.size() || text.size() > 254)
    return false;
  if (text.find('@', at + 1) != std::string::npos || text[at + 1] == '.' || text.back() == '.')
    return false;
  return std::ranges::none_of(text, [](unsigned char c) { return c <= ' ' || c == 0x7f; }) &&
         text.find_first_of("\"(),:;<>[\\]") == std::string::npos;
}

std::string format_field(const Json& fields, const char* name) {
  const std::string text = get_string(fields, name).value_or("");
  if (text.empty() || text.size() > 40) {
    throw Error(ErrorCode::InvalidArgument,
                "\"" + std::string{name} + "\" must have 1 to 40 characters");
  }
  return text;
}

}  // namespace

void refuse_account(ErrorCode error, const std::string& code, const std::string& text) {
  throw Error(error, text, {}, code);
}

std::string checked_email(const std::string& text) {
  const size_t first = text.find_first_not_of(' ');
  std::string out =
      first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (!is_email(out)) {
    refuse_account(ErrorCode::InvalidArgument, "INVALID_EMAIL", "\"email\" is no e-mail address");
  }
  return out;
}

void check_password(const SecretString& password) {
  if (password.reveal().size() < kShortestPassword) {
    refuse_account(ErrorCode::InvalidArgument, "PASSWORD_TOO_SHORT",
                   "the password must have at least 8 characters");
  }
  if (password.reveal().size() > kLongestPassword) {
    refuse_account(ErrorCode::InvalidArgument, "PASSWORD_TOO_LONG",
                   "the password must have at most 128 characters");
  }
}

void apply_profile_fields(User& user, const Json& fields) {
  if (const auto name = get_string(fields, "name")) {
    if (name->empty()) throw Error(ErrorCode::InvalidArgument, "\"name\" must not be empty");
    user.name = *name;
  }
  if (const auto zone = get_string(fields, "timezone")) {
    if (!zone->empty() && !is_time_zone(*zone)) {
      throw Error(ErrorCode::InvalidArgument,
                  "\"timezone\" must be a name like Europe/Vienna, or empty");
    }
    user.timezone = *zone;
  }
  if (fields.contains("dateFormat") && !fields["dateFormat"].is_null())
    user.date_format = format_field(fields, "dateFormat");
  if (fields.contains("timeFormat") && !fields["timeFormat"].is_null())
    user.time_format = format_field(fields, "timeFormat");
}

UserGroup ensure_super_admin(Session& session, TimeMs now) {
  if (auto group = GroupStore{}.find_by_name(session, std::string{kSuperAdmin})) return *group;
  UserGroup group{.id = new_uuid(), .name = std::string{kSuperAdmin}};
  group.permissions.set();
  group.created_at = group.updated_at = now;
  GroupStore{}.insert(session, group);
  return group;
}

void lock_users(Session& session) { lock_name_in_transaction(session, "users"); }

void refuse_last_super_admin(Session& session, const User& user) {
  if (!user.is_super_admin() || UserStore{}.count_in_group(session, user.group_id) > 1) return;
  throw Error(ErrorCode::FailedPrecondition,
              "\"" + user.name + "\" is the last SuperAdmin: make somebody else one first");
}

}  // namespace dbackup::host
