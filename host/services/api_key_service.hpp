#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret_string.hpp"
#include "model/nouns.hpp"
#include "services/api_key_verifier.hpp"

namespace dbackup::host {

struct NewKeyFields {
  std::string name;                      ///< 1-100 characters
  std::vector<std::string> permissions;  ///< names; at least one
  std::optional<TimeMs> expires_at;
};
struct CreatedApiKey {
  ApiKey key;
  SecretString raw;  ///< shown once, never stored
};

/// API keys. [any-thread]
class ApiKeyService {
 public:
  ApiKeyService(Database& database, const Clock& clock, ApiKeyVerifier& verifier)
      : database_{database}, clock_{clock}, verifier_{verifier} {}

  std::vector<ApiKey> list();  ///< newest first
  /// Throws Error{NotFound}.
  ApiKey get(const std::string& id);
  /// A key grants only what its giver holds. Throws Error: InvalidArgument for an unknown
  /// permission or a time in the past, PermissionDenied naming what the giver lacks.
  CreatedApiKey create(const Principal& who, const NewKeyFields& fields);
  void remove(const std::string& id);  ///< NotFound

 private:
  Database& database_;
  const Clock& clock_;
  ApiKeyVerifier& verifier_;
};

}  // namespace dbackup::host
