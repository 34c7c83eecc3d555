#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret_string.hpp"
#include "model/nouns.hpp"
#include "services/api_key_verifier.hpp"
#include "services/bulk.hpp"

namespace dbackup::host {

class AuditLog;

struct NewKeyFields {
  std::string name;                      ///< 1-100 characters
  std::vector<std::string> permissions;  ///< names; at least one
  std::optional<TimeMs> expires_at;
};
struct CreatedApiKey {
  ApiKey key;
  SecretString raw;  ///< shown once, never stored
};
/// What is empty stays as it is.
struct KeyChanges {
  std::optional<std::string> name;
  std::optional<std::vector<std::string>> permissions;
  std::optional<bool> enabled;
  std::optional<std::optional<TimeMs>> expires_at;  ///< an inner nullopt: never
};

/// API keys. A key grants only what its giver holds, and only who holds all of a key's permissions
/// may see it anew by rotating it. [any-thread]
class ApiKeyService {
 public:
  ApiKeyService(Database& database, const Clock& clock, ApiKeyVerifier& verifier, AuditLog& audit)
      : database_{database}, clock_{clock}, verifier_{verifier}, audit_{audit} {}

  std::vector<ApiKey> list();  ///< newest first
  /// Throws Error{NotFound}.
  ApiKey get(const std::string& id);
  /// Throws Error: InvalidArgument for an unknown permission or a time in the past,
  /// PermissionDenied naming what the giver lacks.
  CreatedApiKey create(const Principal& who, const NewKeyFields& fields);
  ApiKey update(const Principal& who, const std::string& id, const KeyChanges& changes);
  /// Same id, name, permissions and expiry; the old key ends at once.
  CreatedApiKey rotate(const Principal& who, const std::string& id);
  void remove(const Principal& who, const std::string& id);  ///< NotFound
  /// `action`: delete, enable or disable.
  BulkOutcome apply_to_all(const Principal& who, const std::string& action,
                           const std::vector<std::string>& ids);

 private:
  Database& database_;
  const Clock& clock_;
  ApiKeyVerifier& verifier_;
  AuditLog& audit_;
};

}  // namespace dbackup::host
