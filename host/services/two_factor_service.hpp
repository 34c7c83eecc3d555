#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/sign_in_service.hpp"

namespace dbackup::host {

struct TwoFactorSetup {
  std::string uri;                        ///< otpauth://…, with the secret
  std::vector<std::string> backup_codes;  ///< shown this once
};

/// What a right code gives: a session when it answered a challenge, and the cookie of a device that
/// is to be trusted.
struct TwoFactorPassed {
  User user;
  std::optional<SignedIn> opened;
  SecretString device;
};

inline constexpr TimeMs kTrustedDeviceLifetime = TimeMs{30} * 24 * 3600 * 1000;

/// The second factor: time-based codes, and backup codes that count once. Ten wrong codes in a row
/// lock it for 15 minutes; one challenge takes five tries. [any-thread]
class TwoFactorService {
 public:
  TwoFactorService(ControlPlane& control, AuditLog& audit, SignInService& sign_in,
                   SessionVerifier& verifier)
      : control_{control}, audit_{audit}, sign_in_{sign_in}, verifier_{verifier} {}

  /// A new secret, in force after the first right code.
  TwoFactorSetup enable(const Principal& who, const SecretString& password);
  void disable(const Principal& who, const SecretString& password);
  std::vector<std::string> new_backup_codes(const Principal& who, const SecretString& password);
  std::string uri(const Principal& who, const SecretString& password);

  /// `challenge`: the short cookie of a sign-in, or "" when `signed_in` (a session's id and user)
  /// asks for itself. Throws INVALID_CODE, TOTP_NOT_ENABLED, INVALID_TWO_FACTOR_COOKIE,
  /// ACCOUNT_TEMPORARILY_LOCKED.
  TwoFactorPassed verify_totp(const Principal& client, std::string_view challenge,
                              const std::optional<SignedIn>& signed_in, const std::string& code,
                              bool trust_device);
  TwoFactorPassed verify_backup_code(const Principal& client, std::string_view challenge,
                                     const std::optional<SignedIn>& signed_in,
                                     const std::string& code, bool trust_device);

 private:
  TwoFactorPassed verify(const Principal& client, std::string_view challenge,
                         const std::optional<SignedIn>& signed_in, const std::string& code,
                         bool trust_device, bool is_backup_code);
  bool take_code(User& user, const std::string& code, bool is_backup_code) const;

  ControlPlane& control_;
  AuditLog& audit_;
  SignInService& sign_in_;
  SessionVerifier& verifier_;
};

}  // namespace dbackup::host
