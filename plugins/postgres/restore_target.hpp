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

/// Name of the database that a restore works in until it is whole.
std::string working_name(const std::string& token);
/// A LIKE pattern for all such names, which no listing shows.
inline constexpr const char* kWorkingNames = "dbackup-restore-%";

/// Drops the working database of a killed restore, if there is one. Throws Error.
void drop_working_database(const Call& call, const TargetAccess& access, const std::string& token);

/// The database a restore works on. One that was not there is made under a name that tells whose it
/// is, filled, and only then renamed: a restore killed at any instant leaves nothing under the wanted
/// name, and what it leaves can be found. One that was there is left to pg_restore's transaction.
class RestoreTarget {
 public:
  /// `model`: the database the dump came from; when this server has it, a new one gets its encoding
  /// and locale. `token`: see working_name(). Throws Error.
  RestoreTarget(const Call& call, TargetAccess access, std::string name, const std::string& model,
                const std::string& token);
  ~RestoreTarget();
  RestoreTarget(const RestoreTarget&) = delete;
  RestoreTarget& operator=(const RestoreTarget&) = delete;

  /// Where pg_restore shall work.
  const std::string& working() const noexcept { return working_; }

  /// The restore is whole: a new database gets its name. Throws Error{Aborted} when somebody made one
  /// of that name meanwhile; undo() is still to be called then.
  void keep();

  /// Ends what a killed pg_restore left running on the server, so that its locks are gone and its
  /// transaction is undone when this returns, and drops the database if it was made here. Never
  /// throws; returns what could not be undone, for people, or "".
  std::string undo(const std::string& application_name) noexcept;

 private:
  Call call_;
  TargetAccess access_;
  std::string name_;
  std::string working_;  ///< name_, or what it is called until it is whole
  bool created_ = false;
  bool settled_ = false;
};

/// Ends our own sessions called `application_name` and waits until they are gone. Best effort,
/// bounded.
void end_sessions(Connection& server, const std::string& application_name);

}  // namespace dbackup::postgres
