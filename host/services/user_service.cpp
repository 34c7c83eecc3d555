#include "services/user_service.hpp"

#include "base/id.hpp"
#include "control/control_plane.hpp"
#include "control/system_events.hpp"
#include "crypto/password.hpp"
#include "services/account_rules.hpp"
#include "services/audit_log.hpp"
#include "services/rights.hpp"
#include "store/profile_store.hpp"
#include "store/session_store.hpp"
#include "store/user_store.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kLargestAvatar = size_t{5} << 20;

bool is_self(const Principal& who, const std::string& id) {
  return who.kind == PrincipalKind::Session && who.user_id == id;
}

User found(Session& session, const std::string& id) {
  auto user = UserStore{}.find(session, id);
  if (!user) throw Error(ErrorCode::NotFound, "user not found");
  return std::move(*user);
}

void refuse_lesser(const Principal& who, const User& user) {
  if (!user.is_super_admin() || who.is_super_admin || is_self(who, user.id)) return;
  throw Error(ErrorCode::PermissionDenied, "only a SuperAdmin may change a SuperAdmin");
}

UserGroup group_to_give(Session& session, const Principal& who, const std::string& id) {
  auto group = GroupStore{}.find(session, id);
  if (!group) throw Error(ErrorCode::NotFound, "group not found");
  if (group->is_super_admin()) {
    if (!who.is_super_admin) {
      throw Error(ErrorCode::PermissionDenied, "only a SuperAdmin may make a SuperAdmin");
    }
  } else {
    require_may_give(who, group->permissions, "a user");
  }
  return std::move(*group);
}

void refuse_taken(Session& session, const User& user) {
  const auto other = UserStore{}.find_by_email(session, user.email);
  if (other && other->id != user.id) {
    refuse_account(ErrorCode::AlreadyExists, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
                   "there is an account with this e-mail address already");
  }
}

struct ImageType {
  std::string_view start, content_type, extension;
};
constexpr ImageType kImageTypes[] = {{"\xFF\xD8\xFF", "image/jpeg", "jpg"},
                                     {"\x89PNG\r\n\x1A\n", "image/png", "png"},
                                     {"GIF87a", "image/gif", "gif"},
                                     {"GIF89a", "image/gif", "gif"}};
constexpr ImageType kWebp{"RIFF", "image/webp", "webp"};

const ImageType& type_of(std::string_view image) {
  for (const ImageType& type : kImageTypes) {
    if (image.starts_with(type.start)) return type;
  }
  if (image.starts_with(kWebp.start) && image.substr(8).starts_with("WEBP")) return kWebp;
  throw Error(ErrorCode::InvalidArgument, "\"file\" must be a JPEG, PNG, GIF or WEBP image");
}

}  // namespace

void UserService::forget() {
  sessions_.forget_all();
  keys_.forget_all();
}

std::vector<User> UserService::list() {
  std::vector<User> out;
  control_.context().database.read([&](Session& session) { out = UserStore{}.list(session); });
  return out;
}

std::optional<User> UserService::find(const std::string& id) {
  std::optional<User> out;
  control_.context().database.read([&](Session& session) { out = UserStore{}.find(session, id); });
  return out;
}

User UserService::get(const std::string& id) {
  auto user = find(id);
  if (!user) throw Error(ErrorCode::NotFound, "user not found");
  return std::move(*user);
}

User UserService::create(const Principal& who, const NewUserFields& fields) {
  User user{.id = new_uuid(), .name = fields.name, .email = checked_email(fields.email)};
  user.created_at = user.updated_at = control_.context().clock.now_ms();
  apply_profile_fields(user, fields.profile);
  check_password(fields.password);
  user.password_hash = hash_password(fields.password);
  control_.context().database.write([&](Session& session) {
    lock_users(session);
    if (!fields.group_id.empty()) {
      const UserGroup group = group_to_give(session, who, fields.group_id);
      user.group_id = group.id;
      user.group_name = group.name;
    }
    refuse_taken(session, user);
    UserStore{}.insert(session, user);
    audit_.write(session, who, AuditAction::Create, AuditResource::User, user.id,
                 {{"name", user.name}, {"email", user.email}, {"group", user.group_name}});
  });
  control_.notices().tell(user_created_event(user, who.name, user.created_at), user.email);
  return user;
}

User UserService::change(const Principal& who, const std::string& id, const Json& details,
                         const std::function<void(Session&, User&)>& body) {
  User user;
  control_.context().database.write([&](Session& session) {
    lock_users(session);
    user = found(session, id);
    refuse_lesser(who, user);
    body(session, user);
    user.updated_at = control_.context().clock.now_ms();
    UserStore{}.update(session, user);
    audit_.write(session, who, AuditAction::Update, AuditResource::User, id, details);
  });
  forget();
  return user;
}

User UserService::update(const Principal& who, const std::string& id, const Json& fields) {
  const bool self = is_self(who, id);
  if (!self) require(who, Permission::UsersWrite);
  const auto own = [&](const char* field, Permission permission) {
    if (self && fields.contains(field) && !who.may(Permission::UsersWrite))
      require(who, permission);
  };
  own("name", Permission::ProfileUpdateName);
  own("email", Permission::ProfileUpdateEmail);
  Json changed = Json::array();
  for (const auto& [name, value] : fields.items()) changed.push_back(name);
  return change(who, id, {{"fields", std::move(changed)}}, [&](Session& session, User& user) {
    apply_profile_fields(user, fields);
    if (const auto email = get_string(fields, "email")) {
      user.email = checked_email(*email);
      refuse_taken(session, user);
    }
    if (const auto image = get_string(fields, "image")) user.image = *image;
  });
}

User UserService::set_group(const Principal& who, const std::string& id,
                            const std::string& group_id) {
  // By a key of one's own as little.
  if (who.user_id == id)
    throw Error(ErrorCode::PermissionDenied, "nobody may change their own group");
  User out = change(who, id, {{"groupId", group_id}}, [&](Session& session, User& user) {
    if (user.group_id == group_id) return;
    UserGroup group;
    if (!group_id.empty()) group = group_to_give(session, who, group_id);
    refuse_last_super_admin(session, user);
    user.group_id = group.id;
    user.group_name = group.name;
  });
  return out;
}

User UserService::reset_two_factor(const Principal& who, const std::string& id) {
  return change(who, id, {{"twoFactor", "reset"}}, [&](Session& session, User& user) {
    user.two_factor_enabled = false;
    user.passkey_two_factor = false;
    user.sealed_totp_secret.clear();
    user.backup_codes.clear();
    user.failed_codes = 0;
    user.locked_until = 0;
    TwoFactorTokenStore{}.remove_of_user(session, user.id);
  });
}

User UserService::set_passkey_two_factor(const Principal& who, const std::string& id,
                                         bool enabled) {
  if (!is_self(who, id)) require(who, Permission::UsersWrite);
  if (enabled) throw Error(ErrorCode::Unimplemented, "passkeys are not built yet");
  return change(who, id, {{"passkeyTwoFactor", false}},
                [](Session&, User& user) { user.passkey_two_factor = false; });
}

void UserService::take_out(Session& session, const Principal& who, const std::string& id) {
  lock_users(session);
  const User user = found(session, id);
  if (who.user_id == id) throw Error(ErrorCode::FailedPrecondition, "nobody may delete themselves");
  refuse_lesser(who, user);
  refuse_last_super_admin(session, user);
  if (UserStore{}.count(session) <= 1)
    throw Error(ErrorCode::FailedPrecondition, "the last user cannot be deleted");
  const int64_t keys = ApiKeyStore{}.remove_of_user(session, id);
  UserStore{}.remove(session, id);
  audit_.write(session, who, AuditAction::Delete, AuditResource::User, id,
               {{"name", user.name}, {"email", user.email}, {"apiKeys", keys}});
}

void UserService::remove(const Principal& who, const std::string& id) {
  control_.context().database.write([&](Session& session) { take_out(session, who, id); });
  forget();
}

BulkOutcome UserService::remove_all(const Principal& who, const std::vector<std::string>& ids) {
  const BulkOutcome outcome = run_bulk(
      ids, [&](const std::string& id) { remove(who, id); },
      [&](const std::string& id) { return get(id).name; });
  audit_.write(who, AuditAction::Delete, AuditResource::User, "", bulk_audit("delete", outcome));
  return outcome;
}

void UserService::set_preferences(const Principal& who, bool auto_redirect) {
  change(who, who.user_id, {{"autoRedirectOnJobStart", auto_redirect}},
         [&](Session&, User& user) { user.auto_redirect = auto_redirect; });
}

std::string UserService::set_avatar(const Principal& who, std::string_view image) {
  if (image.size() > kLargestAvatar)
    throw Error(ErrorCode::InvalidArgument, "\"file\" must have at most 5 MB");
  const ImageType& type = type_of(image);
  const Avatar avatar{.user_id = who.user_id,
                      .file_name = new_uuid() + "." + std::string{type.extension},
                      .content_type = std::string{type.content_type},
                      .data = std::string{image}};
  const std::string address = "/api/avatar/" + avatar.file_name;
  change(who, who.user_id, {{"image", address}}, [&](Session& session, User& user) {
    AvatarStore{}.put(session, avatar);
    user.image = address;
  });
  return address;
}

void UserService::remove_avatar(const Principal& who) {
  change(who, who.user_id, {{"image", nullptr}}, [](Session& session, User& user) {
    AvatarStore{}.remove(session, user.id);
    user.image.clear();
  });
}

Avatar UserService::avatar(const std::string& file_name) {
  std::optional<Avatar> found;
  control_.context().database.read(
      [&](Session& session) { found = AvatarStore{}.find_by_file_name(session, file_name); });
  if (!found) throw Error(ErrorCode::NotFound, "no such image");
  return std::move(*found);
}

}  // namespace dbackup::host
