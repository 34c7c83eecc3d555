#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "model/principal.hpp"

/// People and how they sign in, as the metadata keeps them. An empty string stands for "none".
namespace dbackup::host {

/// The group of this name has every permission, whatever its row says, and never changes.
inline constexpr std::string_view kSuperAdmin = "SuperAdmin";

struct UserGroup {
  std::string id;
  std::string name;  ///< unique
  PermissionSet permissions;
  int64_t user_count = 0;  ///< filled by lists and find
  TimeMs created_at = 0, updated_at = 0;

  bool is_super_admin() const { return name == kSuperAdmin; }
};

struct User {
  std::string id;
  std::string name;
  std::string email;  ///< lower-case, unique
  std::string image;  ///< "/api/avatar/…"
  std::string password_hash;
  std::string group_id, group_name;  ///< "": no access at all; the name is read with the row
  std::string timezone, date_format = "P", time_format = "p";
  bool passkey_two_factor = false;
  bool auto_redirect = true;  ///< consoles: show a run that was just started
  bool two_factor_enabled = false;
  std::string sealed_totp_secret;         ///< set before it is enabled: by the first right code
  std::vector<std::string> backup_codes;  ///< hashes of those that are left
  int64_t last_totp_step = 0;             ///< a code counts once
  int64_t failed_codes = 0;               ///< in a row
  TimeMs locked_until = 0;                ///< of the second factor
  std::optional<TimeMs> last_login_at;
  TimeMs created_at = 0, updated_at = 0;

  bool is_super_admin() const { return group_name == kSuperAdmin; }
};

struct UserSession {
  std::string id;          ///< also what the API calls its token: it opens nothing
  std::string token_hash;  ///< of what the cookie holds
  std::string user_id;
  bool remember = true;
  TimeMs expires_at = 0;
  std::string ip_address, user_agent;
  TimeMs created_at = 0, updated_at = 0;
};

enum class TwoFactorKind { Challenge, Device };
struct TwoFactorToken {
  std::string token_hash;
  std::string user_id;
  TwoFactorKind kind = TwoFactorKind::Challenge;
  bool remember = true;
  int64_t tries = 0;
  TimeMs expires_at = 0;
};

struct Avatar {
  std::string user_id, file_name, content_type;
  std::string data;  ///< raw bytes
};

}  // namespace dbackup::host
