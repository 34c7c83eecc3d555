#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace dbackup::host {

/// A login that adapters share.
struct Credential {
  std::string id;
  std::string name;  ///< unique
  std::string type;  ///< a row of kCredentialTypes
  std::string description;
  std::string sealed_data;  ///< JSON of the payload, sealed with context "credential/<id>"
  std::string public_key, fingerprint;  ///< of an SSH key that can be read; else ""
  TimeMs created_at = 0, updated_at = 0;
};

/// One member of a payload, and the options of an adapter that it fills in: those of the primary
/// slot, and in the SSH slot the ones that begin with "ssh", where an adapter has them.
struct CredentialField {
  std::string_view name;
  bool required = false;
  std::array<std::string_view, 5> fills = {};
  std::string_view fills_ssh = "";
};

struct CredentialType {
  std::string_view id;
  std::span<const CredentialField> fields;
};

namespace credential_fields {
inline constexpr CredentialField kUsernamePassword[] = {
    {"username", true, {"user", "username"}},
    {"password", true, {"password"}},
};
inline constexpr CredentialField kSshKey[] = {
    {"username", true, {"username"}, "sshUsername"},
    {"authType", true, {"authType"}, "sshAuthType"},
    {"password", false, {"password"}, "sshPassword"},
    {"privateKey", false, {"privateKey"}, "sshPrivateKey"},
    {"passphrase", false, {"passphrase"}, "sshPassphrase"},
};
inline constexpr CredentialField kAccessKey[] = {
    {"accessKeyId", true, {"accessKeyId"}},
    {"secretAccessKey", true, {"secretAccessKey"}},
};
inline constexpr CredentialField kToken[] = {
    {"token", true, {"token", "appToken", "accessToken", "botToken", "authToken"}},
};
inline constexpr CredentialField kSmtp[] = {
    {"user", true, {"user"}},
    {"password", true, {"password"}},
};
inline constexpr CredentialField kWebhook[] = {
    {"url", true, {"webhookUrl", "url"}},
    {"authHeader", false, {"authHeader"}},
};
inline constexpr CredentialField kOauth[] = {
    {"clientId", true, {"clientId"}},
    {"clientSecret", true, {"clientSecret"}},
    {"refreshToken", false, {"refreshToken"}},
};
}  // namespace credential_fields

/// All types of credentials, with what they hold.
inline constexpr std::array<CredentialType, 7> kCredentialTypes{{
    {"USERNAME_PASSWORD", credential_fields::kUsernamePassword},
    {"SSH_KEY", credential_fields::kSshKey},
    {"ACCESS_KEY", credential_fields::kAccessKey},
    {"TOKEN", credential_fields::kToken},
    {"SMTP", credential_fields::kSmtp},
    {"WEBHOOK", credential_fields::kWebhook},
    {"OAUTH", credential_fields::kOauth},
}};

constexpr const CredentialType* find_credential_type(std::string_view id) noexcept {
  for (const auto& type : kCredentialTypes) {
    if (type.id == id) return &type;
  }
  return nullptr;
}

}  // namespace dbackup::host
