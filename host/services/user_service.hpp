#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/secret_string.hpp"
#include "model/users.hpp"
#include "services/api_key_verifier.hpp"
#include "services/bulk.hpp"
#include "services/session_verifier.hpp"

namespace dbackup::host {

class AuditLog;
class ControlPlane;

struct NewUserFields {
  std::string name, email;
  SecretString password;
  std::string group_id;  ///< "": no access yet
  Json profile = Json::object();
};

/// The care of users: by those who may, and of one's own account. Who is SuperAdmin is only touched
/// by a SuperAdmin, and a group is only given to others by who holds its permissions. [any-thread]
class UserService {
 public:
  UserService(ControlPlane& control, AuditLog& audit, SessionVerifier& sessions,
              ApiKeyVerifier& keys)
      : control_{control}, audit_{audit}, sessions_{sessions}, keys_{keys} {}

  std::vector<User> list();         ///< by name
  User get(const std::string& id);  ///< NotFound
  std::optional<User> find(const std::string& id);
  /// Throws Error: InvalidArgument, AlreadyExists, NotFound for an unknown group.
  User create(const Principal& who, const NewUserFields& fields);
  /// Of oneself with the permissions profile:*, of others with users:write.
  User update(const Principal& who, const std::string& id, const Json& fields);
  User set_group(const Principal& who, const std::string& id, const std::string& group_id);
  User reset_two_factor(const Principal& who, const std::string& id);
  User set_passkey_two_factor(const Principal& who, const std::string& id, bool enabled);
  /// The user's API keys and sessions end with it.
  void remove(const Principal& who, const std::string& id);
  BulkOutcome remove_all(const Principal& who, const std::vector<std::string>& ids);

  void set_preferences(const Principal& who, bool auto_redirect);
  /// An image of at most 5 MB; what it is, is told by its first bytes. Returns its address.
  std::string set_avatar(const Principal& who, std::string_view image);
  void remove_avatar(const Principal& who);
  Avatar avatar(const std::string& file_name);  ///< NotFound

 private:
  User change(const Principal& who, const std::string& id, const Json& details,
              const std::function<void(Session&, User&)>& body);
  void take_out(Session& session, const Principal& who, const std::string& id);
  void forget();

  ControlPlane& control_;
  AuditLog& audit_;
  SessionVerifier& sessions_;
  ApiKeyVerifier& keys_;
};

}  // namespace dbackup::host
