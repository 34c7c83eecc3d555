#pragma once

#include <dbackup/source.hpp>
#include <string>
#include <vector>

#include "connection.hpp"
#include "definitions.hpp"
#include "swap_plan.hpp"

namespace dbackup::mysql {

/// Names that only databases of an unfinished restore have: the one that is filled, and the one
/// that holds what the target had before. `token` must be plain (letters, digits, '-', at most 36).
std::string working_name(const std::string& token);
std::string before_name(const std::string& token);
bool is_restore_name(const std::string& name);

/// Who does what in a restore: `user` fills the database, `admin` creates databases and exchanges
/// their content. The same login, unless a privileged one was given.
struct RestoreLogins {
  Login user;
  Login admin;
  bool differ() const noexcept { return user.user != admin.user; }
};

/// Throws Error when `name` could not be restored into with these logins: tries to create what a
/// restore creates, and removes it again.
void check_target(Connection& admin, const std::string& name);

/// Brings the database that a restore was exchanging when its process was killed back to what it
/// was, and drops the databases that are called by `token`. Which one that is, is written down on
/// the server: a restore of several databases has one token. Nothing there is a success.
void clean_up(const Call& call, const RestoreLogins& logins, const std::string& token);

/// A database under a name of its own that is filled beside the target, and takes its place when it
/// is whole. Until keep() the target is not touched.
class RestoreTarget {
 public:
  RestoreTarget(const Call& call, RestoreLogins logins, std::string name, std::string token);
  RestoreTarget(const RestoreTarget&) = delete;
  RestoreTarget& operator=(const RestoreTarget&) = delete;
  ~RestoreTarget();

  const std::string& working() const noexcept { return working_; }
  const Login& login() const noexcept { return logins_.user; }

  /// Gives the target what was loaded: objects of the same name are replaced, others stay. When it
  /// throws, the target is as it was, unless the text says otherwise. `sets_collation`: the dump
  /// says which character set the database has.
  void keep(const std::vector<Definition>& events, bool sets_collation);

  /// Drops what was made. What could not be removed, or "". `session`: of the connection that
  /// fills.
  std::string undo(unsigned long session) noexcept;

 private:
  void make(Connection& server, const std::string& name, const std::string& collation);
  std::string walk_back(const SwapNames& names, unsigned long session,
                        bool& is_done) const noexcept;
  void drop_own();
  /// undo() for what a session of the admin was making.
  void undo_as_admin(unsigned long session) noexcept;

  Call call_;
  RestoreLogins logins_;
  std::string name_;
  std::string token_;
  std::string working_;
  bool settled_ = false;
};

}  // namespace dbackup::mysql
