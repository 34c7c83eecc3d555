#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/secret_string.hpp"
#include "model/users.hpp"
#include "services/api_key_verifier.hpp"
#include "services/session_verifier.hpp"

namespace dbackup::host {

class AuditLog;
class ControlPlane;

struct SignUpFields {
  std::string name, email;
  SecretString password;
  Json profile = Json::object();  ///< timezone, dateFormat, timeFormat
  std::string image;
  bool remember = true;
};

/// A session that was just opened; `cookie` is shown this once.
struct SignedIn {
  User user;
  UserSession session;
  SecretString cookie;
};

/// What a right password leads to: a session, or the question for the second factor.
struct SignInResult {
  std::optional<SignedIn> done;
  SecretString challenge;  ///< with `done` empty: the token of the short cookie
};

inline constexpr TimeMs kChallengeLifetime = 10 * 60'000;

/// Signing up, in and out, and the sessions of people. Errors carry the tokens of the published
/// sign-in interface as their reason. Checking a password takes tens of milliseconds. [any-thread]
class SignInService {
 public:
  SignInService(ControlPlane& control, AuditLog& audit, SessionVerifier& verifier)
      : control_{control}, audit_{audit}, verifier_{verifier} {}

  /// Whether sign_up() lets anybody in.
  bool is_sign_up_open();
  /// The first user of an instance becomes SuperAdmin, in the same transaction. `who` is the
  /// client, for the audit log. Throws Error: PermissionDenied when closed, AlreadyExists for a
  /// taken address.
  SignedIn sign_up(const Principal& who, const SignUpFields& fields);
  /// `device`: the cookie of a trusted device, which spares the second factor; "" for none.
  SignInResult sign_in(const Principal& who, const std::string& email, const SecretString& password,
                       bool remember, std::string_view device);
  /// Nothing happens when there is no such session.
  void sign_out(const Principal& who, std::string_view cookie);

  /// The session of a cookie and its user, with or without a group; nullopt when it is not valid.
  std::optional<SignedIn> current(std::string_view cookie);
  std::vector<UserSession> sessions(const Principal& who);
  /// Of the caller alone; one that is not there, or not theirs, is left alone silently.
  void revoke(const Principal& who, const std::string& session_id);
  void revoke_all(const Principal& who, bool keep_current);
  /// Checks the current password. `revoke_others`: all other sessions end.
  User change_password(const Principal& who, const SecretString& current, const SecretString& next,
                       bool revoke_others);

  /// Opens a session inside the caller's transaction, and notes it in user row and audit log.
  SignedIn open_session(Session& session, const Principal& who, User user, bool remember,
                        const char* method);
  /// The event "user_login", once that transaction is through. Returns at once.
  void tell_of_sign_in(const Principal& who, const SignedIn& opened);
  /// Whether `password` is the caller's. Throws `INVALID_PASSWORD` when it is not.
  User require_password(const Principal& who, const SecretString& password);
  void note_failure(const Principal& who, const User* user, const std::string& email,
                    const char* reason);

 private:
  ControlPlane& control_;
  AuditLog& audit_;
  SessionVerifier& verifier_;
};

}  // namespace dbackup::host
