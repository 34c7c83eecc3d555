#include "store/user_store.hpp"

#include "base/encoding.hpp"
#include "store/columns.hpp"
#include "store/query.hpp"

namespace dbackup::host {
namespace {

struct UserColumns {
  long long passkey = 0, redirect = 0, two_factor = 0, step = 0, failed = 0, locked = 0;
  long long last_login = 0, created = 0, updated = 0;
};

std::vector<User> select_users(Session& session, const std::string& where,
                               const std::string* value) {
  User row;
  UserColumns n;
  std::string codes;
  Query query{
      session,
      "SELECT u.id, u.name, u.email, u.image, u.password_hash, COALESCE(u.group_id, ''), "
      "COALESCE(g.name, ''), u.timezone, u.date_format, u.time_format, u.passkey_two_factor, "
      "u.auto_redirect, u.two_factor_enabled, u.sealed_totp_secret, u.backup_codes, "
      "u.last_totp_step, u.failed_codes, u.locked_until, u.last_login_at, u.created_at, "
      "u.updated_at FROM users u LEFT JOIN user_groups g ON g.id = u.group_id " +
          where + " ORDER BY u.name, u.id"};
  query.out(row.id).out(row.name).out(row.email).out(row.image).out(row.password_hash);
  query.out(row.group_id).out(row.group_name).out(row.timezone).out(row.date_format);
  query.out(row.time_format).out(n.passkey).out(n.redirect).out(n.two_factor);
  query.out(row.sealed_totp_secret).out(codes).out(n.step).out(n.failed).out(n.locked);
  query.out(n.last_login).out(n.created).out(n.updated);
  if (value != nullptr) query.bind(*value);
  std::vector<User> out;
  while (query.next()) {
    User user = row;
    user.passkey_two_factor = n.passkey != 0;
    user.auto_redirect = n.redirect != 0;
    user.two_factor_enabled = n.two_factor != 0;
    user.backup_codes = columns::strings_column(codes);
    user.last_totp_step = n.step;
    user.failed_codes = n.failed;
    user.locked_until = n.locked;
    user.last_login_at = columns::optional_time(n.last_login);
    user.created_at = n.created;
    user.updated_at = n.updated;
    out.push_back(std::move(user));
  }
  return out;
}

void write_user(Session& session, const std::string& sql, const User& user) {
  const UserColumns n{.passkey = columns::flag(user.passkey_two_factor),
                      .redirect = columns::flag(user.auto_redirect),
                      .two_factor = columns::flag(user.two_factor_enabled),
                      .step = user.last_totp_step,
                      .failed = user.failed_codes,
                      .locked = user.locked_until,
                      .last_login = columns::time_or_zero(user.last_login_at),
                      .created = user.created_at,
                      .updated = user.updated_at};
  const std::string codes = dump_json(user.backup_codes);
  Query query{session, sql};
  query.bind(user.name).bind(user.email).bind(user.image).bind(user.password_hash);
  query.bind(user.group_id).bind(user.timezone).bind(user.date_format).bind(user.time_format);
  query.bind(n.passkey).bind(n.redirect).bind(n.two_factor).bind(user.sealed_totp_secret);
  query.bind(codes).bind(n.step).bind(n.failed).bind(n.locked).bind(n.last_login);
  query.bind(n.created).bind(n.updated).bind(user.id).run();
}

std::vector<UserGroup> select_groups(Session& session, const std::string& where,
                                     const std::string* value) {
  UserGroup row;
  std::string permissions;
  long long users = 0;
  long long created = 0;
  long long updated = 0;
  Query query{
      session,
      "SELECT g.id, g.name, g.permissions, (SELECT COUNT(*) FROM users u WHERE u.group_id = "
      "g.id), g.created_at, g.updated_at FROM user_groups g " +
          where + " ORDER BY g.name"};
  query.out(row.id).out(row.name).out(permissions).out(users).out(created).out(updated);
  if (value != nullptr) query.bind(*value);
  std::vector<UserGroup> out;
  while (query.next()) {
    UserGroup group = row;
    group.permissions = columns::permissions_column(permissions);
    if (group.is_super_admin()) group.permissions.set();
    group.user_count = users;
    group.created_at = created;
    group.updated_at = updated;
    out.push_back(std::move(group));
  }
  return out;
}

void write_group(Session& session, const std::string& sql, const UserGroup& group) {
  const std::string permissions = columns::permissions_text(group.permissions);
  const long long created = group.created_at;
  const long long updated = group.updated_at;
  Query query{session, sql};
  query.bind(group.name).bind(permissions).bind(created).bind(updated).bind(group.id).run();
}

template <class T>
std::optional<T> only(std::vector<T> rows) {
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

int64_t count_of(Session& session, const std::string& sql, const std::string* value) {
  long long count = 0;
  Query query{session, sql};
  query.out(count);
  if (value != nullptr) query.bind(*value);
  query.next();
  return count;
}

}  // namespace

std::vector<User> UserStore::list(Session& session) const {
  return select_users(session, "", nullptr);
}

std::optional<User> UserStore::find(Session& session, const std::string& id) const {
  return only(select_users(session, "WHERE u.id = :id", &id));
}

std::optional<User> UserStore::find_by_email(Session& session, const std::string& email) const {
  return only(select_users(session, "WHERE u.email = :email", &email));
}

void UserStore::insert(Session& session, const User& user) const {
  write_user(
      session,
      "INSERT INTO users (name, email, image, password_hash, group_id, timezone, date_format, "
      "time_format, passkey_two_factor, auto_redirect, two_factor_enabled, sealed_totp_secret, "
      "backup_codes, last_totp_step, failed_codes, locked_until, last_login_at, created_at, "
      "updated_at, id) VALUES (:a, :b, :c, :d, NULLIF(:e, ''), :f, :g, :h, :i, :j, :k, :l, :m, "
      ":n, :o, :p, :q, :r, :s, :t)",
      user);
}

void UserStore::update(Session& session, const User& user) const {
  write_user(
      session,
      "UPDATE users SET name = :a, email = :b, image = :c, password_hash = :d, group_id = "
      "NULLIF(:e, ''), timezone = :f, date_format = :g, time_format = :h, passkey_two_factor = "
      ":i, auto_redirect = :j, two_factor_enabled = :k, sealed_totp_secret = :l, backup_codes = "
      ":m, last_totp_step = :n, failed_codes = :o, locked_until = :p, last_login_at = :q, "
      "created_at = :r, updated_at = :s WHERE id = :t",
      user);
}

bool UserStore::remove(Session& session, const std::string& id) const {
  return Query{session, "DELETE FROM users WHERE id = :id"}.bind(id).run() > 0;
}

int64_t UserStore::count(Session& session) const {
  return count_of(session, "SELECT COUNT(*) FROM users", nullptr);
}

int64_t UserStore::count_in_group(Session& session, const std::string& group_id) const {
  return count_of(session, "SELECT COUNT(*) FROM users WHERE group_id = :id", &group_id);
}

std::vector<UserGroup> GroupStore::list(Session& session) const {
  return select_groups(session, "", nullptr);
}

std::optional<UserGroup> GroupStore::find(Session& session, const std::string& id) const {
  return only(select_groups(session, "WHERE g.id = :id", &id));
}

std::optional<UserGroup> GroupStore::find_by_name(Session& session, const std::string& name) const {
  return only(select_groups(session, "WHERE g.name = :name", &name));
}

void GroupStore::insert(Session& session, const UserGroup& group) const {
  write_group(
      session,
      "INSERT INTO user_groups (name, permissions, created_at, updated_at, id) VALUES (:a, :b, "
      ":c, :d, :e)",
      group);
}

void GroupStore::update(Session& session, const UserGroup& group) const {
  write_group(
      session,
      "UPDATE user_groups SET name = :a, permissions = :b, created_at = :c, updated_at = :d "
      "WHERE id = :e",
      group);
}

bool GroupStore::remove(Session& session, const std::string& id) const {
  return Query{session, "DELETE FROM user_groups WHERE id = :id"}.bind(id).run() > 0;
}

std::optional<Avatar> AvatarStore::find_by_file_name(Session& session,
                                                     const std::string& name) const {
  Avatar avatar;
  std::string data;
  Query query{session,
              "SELECT user_id, file_name, content_type, data FROM avatars WHERE file_name = :name"};
  query.out(avatar.user_id).out(avatar.file_name).out(avatar.content_type).out(data).bind(name);
  if (!query.next()) return std::nullopt;
  Avatar found = avatar;
  found.data = from_base64_unpadded(data).value_or("");
  return found;
}

void AvatarStore::put(Session& session, const Avatar& avatar) const {
  remove(session, avatar.user_id);
  const std::string data = to_base64_unpadded(avatar.data);
  Query query{
      session,
      "INSERT INTO avatars (user_id, file_name, content_type, data) VALUES (:a, :b, :c, :d)"};
  query.bind(avatar.user_id).bind(avatar.file_name).bind(avatar.content_type).bind(data).run();
}

void AvatarStore::remove(Session& session, const std::string& user_id) const {
  Query{session, "DELETE FROM avatars WHERE user_id = :id"}.bind(user_id).run();
}

}  // namespace dbackup::host
