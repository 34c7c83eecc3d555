#include "services/two_factor_service.hpp"

#include <algorithm>

#include "base/id.hpp"
#include "control/control_plane.hpp"
#include "crypto/hash.hpp"
#include "crypto/token.hpp"
#include "crypto/totp.hpp"
#include "services/account_rules.hpp"
#include "services/audit_log.hpp"
#include "store/session_store.hpp"
#include "store/user_store.hpp"

namespace dbackup::host {
namespace {

constexpr int64_t kTriesPerChallenge = 5;
constexpr int64_t kFailuresBeforeLock = 10;
constexpr TimeMs kLockTime = 15 * 60'000;
constexpr size_t kBackupCodes = 10;

std::string context_of(const User& user) { return "totp/" + user.id; }

/// "a1b2c-3d4e5": 40 random bits, of which few are left to guess within the tries there are.
std::vector<std::string> make_backup_codes() {
  std::vector<std::string> codes;
  for (size_t i = 0; i < kBackupCodes; ++i) {
    const SecretString digits = random_token(5);
    codes.push_back(std::string{digits.reveal().substr(0, 5)} + "-" +
                    std::string{digits.reveal().substr(5)});
  }
  return codes;
}

/// Codes have 40 bits only: the user's id goes in, so that no table of all codes fits every user.
std::string code_hash(const User& user, const std::string& code) {
  return sha256_hex("backup-code/" + user.id + "/" + code);
}

void set_backup_codes(User& user, const std::vector<std::string>& codes) {
  user.backup_codes.clear();
  for (const std::string& code : codes) user.backup_codes.push_back(code_hash(user, code));
}

std::string issuer(const Settings& settings) {
  const std::string name = settings.text("general.instance_name");
  return name.empty() ? "DBackup" : name;
}

}  // namespace

TwoFactorSetup TwoFactorService::enable(const Principal& who, const SecretString& password) {
  const auto& context = control_.context();
  const User checked = sign_in_.require_password(who, password);
  if (checked.two_factor_enabled) {
    refuse_account(ErrorCode::InvalidArgument, "TWO_FACTOR_ALREADY_ENABLED",
                   "the second factor is on already: switch it off first");
  }
  const SecretString secret = new_totp_secret();
  TwoFactorSetup out{.uri = totp_uri(secret, issuer(*context.live.now()), checked.email),
                     .backup_codes = make_backup_codes()};
  context.database.write([&](Session& session) {
    auto user = UserStore{}.find(session, who.user_id);
    if (!user) throw Error(ErrorCode::Unauthenticated, "Unauthorized");
    user->sealed_totp_secret = context.box.seal(secret.reveal(), context_of(*user));
    user->last_totp_step = 0;
    set_backup_codes(*user, out.backup_codes);
    user->updated_at = context.clock.now_ms();
    UserStore{}.update(session, *user);
  });
  return out;
}

void TwoFactorService::disable(const Principal& who, const SecretString& password) {
  sign_in_.require_password(who, password);
  const auto& context = control_.context();
  context.database.write([&](Session& session) {
    auto user = UserStore{}.find(session, who.user_id);
    if (!user) throw Error(ErrorCode::Unauthenticated, "Unauthorized");
    user->two_factor_enabled = false;
    user->sealed_totp_secret.clear();
    user->backup_codes.clear();
    user->updated_at = context.clock.now_ms();
    UserStore{}.update(session, *user);
    TwoFactorTokenStore{}.remove_of_user(session, user->id);
    audit_.write(session, who, AuditAction::Update, AuditResource::User, user->id,
                 {{"twoFactor", "disabled"}});
  });
  verifier_.forget_all();
}

std::vector<std::string> TwoFactorService::new_backup_codes(const Principal& who,
                                                            const SecretString& password) {
  const User checked = sign_in_.require_password(who, password);
  if (!checked.two_factor_enabled) {
    refuse_account(ErrorCode::InvalidArgument, "TWO_FACTOR_NOT_ENABLED",
                   "the second factor is off");
  }
  const std::vector<std::string> codes = make_backup_codes();
  control_.context().database.write([&](Session& session) {
    auto user = UserStore{}.find(session, who.user_id);
    if (!user) throw Error(ErrorCode::Unauthenticated, "Unauthorized");
    set_backup_codes(*user, codes);
    user->updated_at = control_.context().clock.now_ms();
    UserStore{}.update(session, *user);
    audit_.write(session, who, AuditAction::Update, AuditResource::User, user->id,
                 {{"backupCodes", "replaced"}});
  });
  return codes;
}

std::string TwoFactorService::uri(const Principal& who, const SecretString& password) {
  const User user = sign_in_.require_password(who, password);
  if (user.sealed_totp_secret.empty()) {
    refuse_account(ErrorCode::InvalidArgument, "TOTP_NOT_ENABLED", "the second factor is off");
  }
  const auto& context = control_.context();
  return totp_uri(context.box.open(user.sealed_totp_secret, context_of(user)),
                  issuer(*context.live.now()), user.email);
}

/// Uses the code up: it does not count twice.
bool TwoFactorService::take_code(User& user, const std::string& code, bool is_backup_code) const {
  if (is_backup_code) {
    const auto found = std::ranges::find(user.backup_codes, code_hash(user, code));
    if (found == user.backup_codes.end()) return false;
    user.backup_codes.erase(found);
    return true;
  }
  const auto& context = control_.context();
  const SecretString secret = context.box.open(user.sealed_totp_secret, context_of(user));
  const auto step = totp_step_of(secret, code, context.clock.now_ms() / 1000);
  if (!step || *step <= user.last_totp_step) return false;
  user.last_totp_step = *step;
  return true;
}

TwoFactorPassed TwoFactorService::verify(const Principal& client, std::string_view challenge,
                                         const std::optional<SignedIn>& signed_in,
                                         const std::string& code, bool trust_device,
                                         bool is_backup_code) {
  const auto& context = control_.context();
  const TimeMs now = context.clock.now_ms();
  const std::string hash = challenge.empty() ? "" : hash_token(challenge);
  TwoFactorPassed out;
  // A refusal is recorded, so it must not roll back: it is thrown after the transaction.
  std::optional<Error> refusal;
  const auto refuse = [&](ErrorCode error, const char* token, const char* text) {
    refusal.emplace(error, text, std::string{}, token);
  };
  context.database.write([&](Session& session) {
    refusal.reset();
    std::optional<TwoFactorToken> asked;
    if (!hash.empty()) asked = TwoFactorTokenStore{}.find(session, hash);
    const bool is_challenge =
        asked && asked->kind == TwoFactorKind::Challenge && asked->expires_at > now;
    std::optional<User> user;
    if (is_challenge) user = UserStore{}.find(session, asked->user_id);
    if (!user && signed_in) user = UserStore{}.find(session, signed_in->user.id);
    if (!user) {
      return refuse(ErrorCode::Unauthenticated, "INVALID_TWO_FACTOR_COOKIE",
                    "sign in with the password first: there is no open question for a code");
    }
    if (user->sealed_totp_secret.empty() || (is_backup_code && !user->two_factor_enabled)) {
      return refuse(ErrorCode::InvalidArgument, "TOTP_NOT_ENABLED", "the second factor is off");
    }
    if (user->locked_until > now) {
      return refuse(ErrorCode::ResourceExhausted, "ACCOUNT_TEMPORARILY_LOCKED",
                    "too many wrong codes: try again in some minutes");
    }
    if (is_challenge && asked->tries >= kTriesPerChallenge) {
      TwoFactorTokenStore{}.remove(session, hash);
      return refuse(ErrorCode::Unauthenticated, "INVALID_TWO_FACTOR_COOKIE",
                    "too many tries: sign in with the password again");
    }
    Principal who = client;
    who.user_id = user->id;
    who.name = user->name;
    if (!take_code(*user, code, is_backup_code)) {
      user->failed_codes += 1;
      if (user->failed_codes >= kFailuresBeforeLock) {
        user->failed_codes = 0;
        user->locked_until = now + kLockTime;
      }
      UserStore{}.update(session, *user);
      if (is_challenge) TwoFactorTokenStore{}.set_tries(session, hash, asked->tries + 1);
      audit_.write(session, who, AuditAction::Login, AuditResource::Auth, user->id,
                   {{"success", false}, {"reason", "second factor"}});
      return refuse(is_challenge ? ErrorCode::Unauthenticated : ErrorCode::InvalidArgument,
                    is_backup_code ? "INVALID_BACKUP_CODE" : "INVALID_CODE", "the code is wrong");
    }
    user->failed_codes = 0;
    if (!is_challenge && !user->two_factor_enabled) {
      user->two_factor_enabled = true;
      audit_.write(session, who, AuditAction::Update, AuditResource::User, user->id,
                   {{"twoFactor", "enabled"}});
    }
    if (is_challenge) {
      TwoFactorTokenStore{}.remove(session, hash);
      out.opened = sign_in_.open_session(session, who, *user, asked->remember,
                                         is_backup_code ? "backup code" : "totp");
      user = out.opened->user;
    } else {
      UserStore{}.update(session, *user);
    }
    if (trust_device) {
      out.device = random_token();
      TwoFactorTokenStore{}.insert(session, {.token_hash = hash_token(out.device.reveal()),
                                             .user_id = user->id,
                                             .kind = TwoFactorKind::Device,
                                             .expires_at = now + kTrustedDeviceLifetime});
    }
    out.user = *user;
  });
  if (refusal) throw Error{*refusal};
  verifier_.forget_all();
  if (out.opened) sign_in_.tell_of_sign_in(client, *out.opened);
  return out;
}

TwoFactorPassed TwoFactorService::verify_totp(const Principal& client, std::string_view challenge,
                                              const std::optional<SignedIn>& signed_in,
                                              const std::string& code, bool trust_device) {
  return verify(client, challenge, signed_in, code, trust_device, /*is_backup_code=*/false);
}

TwoFactorPassed TwoFactorService::verify_backup_code(const Principal& client,
                                                     std::string_view challenge,
                                                     const std::optional<SignedIn>& signed_in,
                                                     const std::string& code, bool trust_device) {
  return verify(client, challenge, signed_in, code, trust_device, /*is_backup_code=*/true);
}

}  // namespace dbackup::host
