#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/users.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// Sessions of people who signed in, and the tokens of the second factor.
class SessionStore {
 public:
  std::optional<UserSession> find_by_hash(Session& session, const std::string& token_hash) const;
  std::optional<UserSession> find(Session& session, const std::string& id) const;
  std::vector<UserSession> list(Session& session, const std::string& user_id, TimeMs now) const;
  void insert(Session& session, const UserSession& row) const;
  void extend(Session& session, const std::string& id, TimeMs expires_at, TimeMs now) const;
  /// False when it is not there, or another user's.
  bool remove(Session& session, const std::string& id, const std::string& user_id) const;
  /// All of a user's but `kept` ("": all).
  void remove_others(Session& session, const std::string& user_id, const std::string& kept) const;
  void remove_expired(Session& session, TimeMs now) const;
};

class TwoFactorTokenStore {
 public:
  std::optional<TwoFactorToken> find(Session& session, const std::string& token_hash) const;
  void insert(Session& session, const TwoFactorToken& token) const;
  void set_tries(Session& session, const std::string& token_hash, int64_t tries) const;
  void remove(Session& session, const std::string& token_hash) const;
  void remove_of_user(Session& session, const std::string& user_id) const;
  void remove_expired(Session& session, TimeMs now) const;
};

}  // namespace dbackup::host
