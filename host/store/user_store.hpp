#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/users.hpp"
#include "store/database.hpp"

namespace dbackup::host {

class UserStore {
 public:
  std::vector<User> list(Session& session) const;  ///< by name
  std::optional<User> find(Session& session, const std::string& id) const;
  std::optional<User> find_by_email(Session& session, const std::string& email) const;
  void insert(Session& session, const User& user) const;  ///< AlreadyExists: email taken
  void update(Session& session, const User& user) const;
  bool remove(Session& session, const std::string& id) const;  ///< sessions go with it
  int64_t count(Session& session) const;
  int64_t count_in_group(Session& session, const std::string& group_id) const;
};

class GroupStore {
 public:
  std::vector<UserGroup> list(Session& session) const;  ///< by name
  std::optional<UserGroup> find(Session& session, const std::string& id) const;
  std::optional<UserGroup> find_by_name(Session& session, const std::string& name) const;
  void insert(Session& session, const UserGroup& group) const;  ///< AlreadyExists: name taken
  void update(Session& session, const UserGroup& group) const;
  bool remove(Session& session, const std::string& id) const;  ///< its users are without one
};

class AvatarStore {
 public:
  std::optional<Avatar> find_by_file_name(Session& session, const std::string& name) const;
  void put(Session& session, const Avatar& avatar) const;  ///< replaces the user's
  void remove(Session& session, const std::string& user_id) const;
};

}  // namespace dbackup::host
