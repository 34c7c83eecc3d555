#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/settings.hpp"
#include "model/principal.hpp"
#include "model/users.hpp"
#include "services/principal_cache.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// A signed-in person as a caller: the permissions are those of the group, all for SuperAdmin.
Principal principal_of(const User& user, const PermissionSet& group_permissions);

/// Tells who a session cookie belongs to. Sessions found valid are remembered for a few seconds;
/// every change of a user, a group or a session drops them all. [any-thread]
class SessionVerifier {
 public:
  SessionVerifier(Database& database, const Clock& clock, const LiveSettings& live)
      : database_{database}, clock_{clock}, live_{live} {}

  /// nullptr: unknown or expired. A session in use is prolonged, at most once a day.
  std::shared_ptr<const Principal> verify(std::string_view token);
  void forget_all() { known_.forget_all(); }

 private:
  Database& database_;
  const Clock& clock_;
  const LiveSettings& live_;
  PrincipalCache known_;
};

}  // namespace dbackup::host
