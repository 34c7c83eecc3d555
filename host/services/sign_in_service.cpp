#include "services/sign_in_service.hpp"

#include "base/id.hpp"
#include "base/logging.hpp"
#include "control/control_plane.hpp"
#include "control/system_events.hpp"
#include "crypto/password.hpp"
#include "crypto/token.hpp"
#include "services/account_rules.hpp"
#include "services/audit_log.hpp"
#include "store/session_store.hpp"
#include "store/user_store.hpp"

namespace dbackup::host {
namespace {

/// Of a session that ends with the browser.
constexpr TimeMs kShortSession = TimeMs{24} * 3600 * 1000;

Principal as(const Principal& client, const User& user) {
  Principal who = client;
  who.user_id = user.id;
  who.name = user.name;
  return who;
}

}  // namespace

bool SignInService::is_sign_up_open() {
  if (control_.context().live.now()->flag("auth.self_registration")) return true;
  int64_t users = 0;
  control_.context().database.read([&](Session& session) { users = UserStore{}.count(session); });
  return users == 0;
}

SignedIn SignInService::sign_up(const Principal& who, const SignUpFields& fields) {
  const auto& context = control_.context();
  const auto settings = context.live.now();
  if (settings->flag("auth.disable_email_login")) {
    refuse_account(ErrorCode::PermissionDenied, "EMAIL_LOGIN_DISABLED",
                   "signing in with a password is switched off");
  }
  const auto refuse_closed = [] {
    refuse_account(ErrorCode::PermissionDenied, "SIGN_UP_DISABLED",
                   "signing up is closed: ask somebody who may create users");
  };
  if (!is_sign_up_open()) refuse_closed();
  const TimeMs now = context.clock.now_ms();
  User user{.id = new_uuid(), .name = fields.name, .email = checked_email(fields.email)};
  user.image = fields.image;
  user.created_at = user.updated_at = now;
  apply_profile_fields(user, fields.profile);
  check_password(fields.password);
  user.password_hash = hash_password(fields.password);
  SignedIn out;
  context.database.write([&](Session& session) {
    lock_users(session);
    User fresh = user;
    if (UserStore{}.count(session) == 0) {
      const UserGroup group = ensure_super_admin(session, now);
      fresh.group_id = group.id;
      fresh.group_name = group.name;
    } else if (!settings->flag("auth.self_registration")) {
      refuse_closed();
    }
    if (UserStore{}.find_by_email(session, fresh.email)) {
      refuse_account(ErrorCode::AlreadyExists, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
                     "there is an account with this e-mail address already");
    }
    UserStore{}.insert(session, fresh);
    audit_.write(session, as(who, fresh), AuditAction::Create, AuditResource::User, fresh.id,
                 {{"name", fresh.name}, {"email", fresh.email}, {"signUp", true}});
    out = open_session(session, who, fresh, fields.remember, "sign-up");
  });
  verifier_.forget_all();
  control_.notices().tell(user_created_event(out.user, "", now), out.user.email);
  return out;
}

SignInResult SignInService::sign_in(const Principal& who, const std::string& email,
                                    const SecretString& password, bool remember,
                                    std::string_view device) {
  const auto& context = control_.context();
  if (context.live.now()->flag("auth.disable_email_login")) {
    refuse_account(ErrorCode::PermissionDenied, "EMAIL_LOGIN_DISABLED",
                   "signing in with a password is switched off");
  }
  const std::string address = checked_email(email);
  std::optional<User> user;
  std::optional<TwoFactorToken> trusted;
  context.database.read([&](Session& session) {
    user = UserStore{}.find_by_email(session, address);
    if (!device.empty()) trusted = TwoFactorTokenStore{}.find(session, hash_token(device));
  });
  if (!verify_password(password, user ? user->password_hash : "") || !user) {
    note_failure(who, user ? &*user : nullptr, address, "password");
    refuse_account(ErrorCode::Unauthenticated, "INVALID_EMAIL_OR_PASSWORD",
                   "e-mail address or password is wrong");
  }
  const TimeMs now = context.clock.now_ms();
  const bool is_trusted = trusted && trusted->kind == TwoFactorKind::Device &&
                          trusted->user_id == user->id && trusted->expires_at > now;
  SignInResult out;
  if (user->two_factor_enabled && !is_trusted) {
    out.challenge = random_token();
    const TwoFactorToken token{.token_hash = hash_token(out.challenge.reveal()),
                               .user_id = user->id,
                               .kind = TwoFactorKind::Challenge,
                               .remember = remember,
                               .expires_at = now + kChallengeLifetime};
    context.database.write([&](Session& session) {
      TwoFactorTokenStore{}.remove_expired(session, now);
      TwoFactorTokenStore{}.insert(session, token);
    });
    return out;
  }
  context.database.write([&](Session& session) {
    const auto current = UserStore{}.find(session, user->id);
    // The password may have been changed while it was checked.
    if (!current || current->password_hash != user->password_hash) {
      refuse_account(ErrorCode::Unauthenticated, "INVALID_EMAIL_OR_PASSWORD",
                     "e-mail address or password is wrong");
    }
    out.done = open_session(session, who, *current, remember, "password");
  });
  tell_of_sign_in(who, *out.done);
  return out;
}

void SignInService::tell_of_sign_in(const Principal& who, const SignedIn& opened) {
  control_.notices().tell(
      user_login_event(opened.user, who.client_address, control_.context().clock.now_ms()),
      opened.user.email);
}

SignedIn SignInService::open_session(Session& session, const Principal& who, User user,
                                     bool remember, const char* method) {
  const auto& context = control_.context();
  const TimeMs now = context.clock.now_ms();
  const TimeMs lifetime = remember
                              ? context.live.now()->integer("auth.session_duration_seconds") * 1000
                              : kShortSession;
  SignedIn out;
  out.cookie = random_token();
  out.session = {.id = new_uuid(),
                 .token_hash = hash_token(out.cookie.reveal()),
                 .user_id = user.id,
                 .remember = remember,
                 .expires_at = now + lifetime,
                 .ip_address = who.client_address,
                 .user_agent = who.user_agent.substr(0, 512),
                 .created_at = now,
                 .updated_at = now};
  SessionStore{}.remove_expired(session, now);
  SessionStore{}.insert(session, out.session);
  user.last_login_at = now;
  UserStore{}.update(session, user);
  audit_.write(session, as(who, user), AuditAction::Login, AuditResource::Auth, user.id,
               {{"success", true}, {"method", method}});
  out.user = std::move(user);
  return out;
}

void SignInService::note_failure(const Principal& who, const User* user, const std::string& email,
                                 const char* reason) {
  Principal client = who;
  if (user != nullptr) client = as(who, *user);
  audit_.write(client, AuditAction::Login, AuditResource::Auth, user != nullptr ? user->id : "",
               {{"success", false}, {"reason", reason}, {"email", email}});
}

void SignInService::sign_out(const Principal& who, std::string_view cookie) {
  const auto found = current(cookie);
  if (!found) return;
  control_.context().database.write([&](Session& session) {
    SessionStore{}.remove(session, found->session.id, found->user.id);
    audit_.write(session, as(who, found->user), AuditAction::Logout, AuditResource::Auth,
                 found->user.id);
  });
  verifier_.forget_all();
}

std::optional<SignedIn> SignInService::current(std::string_view cookie) {
  // Prolongs it when that is due.
  if (!verifier_.verify(cookie)) return std::nullopt;
  SignedIn out;
  bool found = false;
  control_.context().database.read([&](Session& session) {
    const auto row = SessionStore{}.find_by_hash(session, hash_token(cookie));
    if (!row) return;
    const auto user = UserStore{}.find(session, row->user_id);
    if (!user) return;
    out.session = *row;
    out.user = *user;
    found = true;
  });
  if (!found) return std::nullopt;
  return out;
}

std::vector<UserSession> SignInService::sessions(const Principal& who) {
  std::vector<UserSession> out;
  control_.context().database.read([&](Session& session) {
    out = SessionStore{}.list(session, who.user_id, control_.context().clock.now_ms());
  });
  return out;
}

void SignInService::revoke(const Principal& who, const std::string& session_id) {
  control_.context().database.write([&](Session& session) {
    if (!SessionStore{}.remove(session, session_id, who.user_id)) return;
    audit_.write(session, who, AuditAction::Logout, AuditResource::Auth, who.user_id,
                 {{"session", session_id}});
  });
  verifier_.forget_all();
}

void SignInService::revoke_all(const Principal& who, bool keep_current) {
  control_.context().database.write([&](Session& session) {
    SessionStore{}.remove_others(session, who.user_id, keep_current ? who.id : "");
    audit_.write(session, who, AuditAction::Logout, AuditResource::Auth, who.user_id,
                 {{"sessions", keep_current ? "others" : "all"}});
  });
  verifier_.forget_all();
}

User SignInService::require_password(const Principal& who, const SecretString& password) {
  std::optional<User> user;
  control_.context().database.read(
      [&](Session& session) { user = UserStore{}.find(session, who.user_id); });
  if (!user) throw Error(ErrorCode::Unauthenticated, "Unauthorized");
  if (!verify_password(password, user->password_hash)) {
    note_failure(who, &*user, user->email, "password");
    refuse_account(ErrorCode::InvalidArgument, "INVALID_PASSWORD", "the current password is wrong");
  }
  return *user;
}

User SignInService::change_password(const Principal& who, const SecretString& current,
                                    const SecretString& next, bool revoke_others) {
  check_password(next);
  const User checked = require_password(who, current);
  const std::string hash = hash_password(next);
  User out;
  control_.context().database.write([&](Session& session) {
    auto user = UserStore{}.find(session, who.user_id);
    if (!user || user->password_hash != checked.password_hash) {
      throw Error(ErrorCode::Aborted, "the password was changed by somebody else just now");
    }
    user->password_hash = hash;
    user->updated_at = control_.context().clock.now_ms();
    UserStore{}.update(session, *user);
    // Whoever was let in by the old password alone has to prove the second factor again.
    TwoFactorTokenStore{}.remove_of_user(session, user->id);
    if (revoke_others) SessionStore{}.remove_others(session, user->id, who.id);
    audit_.write(session, who, AuditAction::Update, AuditResource::User, user->id,
                 {{"password", "changed"}});
    out = *user;
  });
  verifier_.forget_all();
  return out;
}

}  // namespace dbackup::host
