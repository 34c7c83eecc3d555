#pragma once

#include <string>
#include <vector>

#include "connection.hpp"

namespace dbackup::postgres {

/// Who works on the target, and how to get at the server beside it.
struct TargetAccess {
  Login login;
  std::vector<std::string> configured;  ///< databases to log into when the usual ones refuse
};

/// Throws Error{InvalidArgument} for a name no database can have (empty, over 63 bytes, NUL): the
/// server would cut a longer one and work on another database.
void check_name(const std::string& name);

/// Throws Error saying why a restore into `name` could not begin: PermissionDenied,
/// FailedPrecondition.
void check_target(Connection& server, const std::string& name);

/// The database a restore works on. One that was not there is made first, and goes again unless
/// keep() was called; one that was there is left to pg_restore's single transaction.
class RestoreTarget {
 public:
  /// `model`: the database the dump came from; when this server has it, a new one gets its encoding
  /// and locale. Throws Error.
  RestoreTarget(const Call& call, TargetAccess access, std::string name, const std::string& model);
  ~RestoreTarget();
  RestoreTarget(const RestoreTarget&) = delete;
  RestoreTarget& operator=(const RestoreTarget&) = delete;

  void keep() noexcept { settled_ = true; }

  /// Ends what a killed pg_restore left running on the server, so that its locks are gone and its
  /// transaction is undone when this returns, and drops the database if it was made here. Never
  /// throws; returns what could not be undone, for people, or "".
  std::string undo(const std::string& application_name) noexcept;

 private:
  Call call_;
  TargetAccess access_;
  std::string name_;
  bool created_ = false;
  bool settled_ = false;
};

/// Ends our own sessions called `application_name` and waits until they are gone. Best effort,
/// bounded.
void end_sessions(Connection& server, const std::string& application_name);

}  // namespace dbackup::postgres
