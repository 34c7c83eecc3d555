#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/users.hpp"
#include "services/api_key_verifier.hpp"
#include "services/bulk.hpp"
#include "services/session_verifier.hpp"

namespace dbackup::host {

class AuditLog;
class ControlPlane;

/// Groups of users: names of permissions. A group is only given permissions that its giver holds,
/// and whoever lacks one of its permissions may not take others away from it either. [any-thread]
class GroupService {
 public:
  GroupService(ControlPlane& control, AuditLog& audit, SessionVerifier& sessions,
               ApiKeyVerifier& keys)
      : control_{control}, audit_{audit}, sessions_{sessions}, keys_{keys} {}

  std::vector<UserGroup> list();         ///< by name
  UserGroup get(const std::string& id);  ///< NotFound
  UserGroup create(const Principal& who, const std::string& name,
                   const std::vector<std::string>& permissions);
  UserGroup update(const Principal& who, const std::string& id,
                   const std::optional<std::string>& name,
                   const std::optional<std::vector<std::string>>& permissions);
  /// Its users are without a group then, so without access.
  void remove(const Principal& who, const std::string& id);
  BulkOutcome remove_all(const Principal& who, const std::vector<std::string>& ids);

 private:
  ControlPlane& control_;
  AuditLog& audit_;
  SessionVerifier& sessions_;
  ApiKeyVerifier& keys_;
};

}  // namespace dbackup::host
