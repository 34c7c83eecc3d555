#include "restore_target.hpp"

#include <mysqld_error.h>

#include <algorithm>
#include <random>

#include "swap_plan.hpp"

namespace dbackup::mysql {
namespace {

constexpr std::string_view kWorking = "dbackup_restore_";
constexpr std::string_view kBefore = "dbackup_before_";
/// Less than a clean-up waits for an answer: a statement it has given up must not run later.
constexpr const char* kShortLockWait = "SET SESSION lock_wait_timeout = 20";

std::string token_of(const std::string& token) {
  const bool is_plain =
      token.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
      std::string::npos;
  if (token.empty() || token.size() > 36 || !is_plain) {
    throw Error{ErrorCode::InvalidArgument, "\"token\" must be 1 to 36 letters, digits and '-'"};
  }
  return lower_case(token);
}

bool exists(Connection& server, const std::string& name) {
  return server.value("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = " +
                      server.literal(name)) == "1";
}

/// Every 'user'@'host' the server knows of that name, quoted; the usual two when mysql.user may not
/// be read.
std::vector<std::string> accounts(Connection& admin, const std::string& user) {
  std::vector<std::string> out;
  try {
    for (const Row& row :
         admin.query("SELECT Host FROM mysql.user WHERE User = " + admin.literal(user))) {
      out.push_back(admin.literal(user) + "@" + admin.literal(row[0].value_or("")));
    }
  } catch (const ServerError& error) {
    if (error.code() != ErrorCode::PermissionDenied) throw;
    for (const char* host : {"%", "localhost"}) {
      out.push_back(admin.literal(user) + "@" + admin.literal(host));
    }
  }
  return out;
}

/// While it lives, a GRANT to an account that is not there fails. By the sql_mode that connections
/// begin with, MariaDB and MySQL 5.7 would make that account, without a password; MySQL 8 never
/// does, and does not know the mode.
class NoNewAccounts {
 public:
  explicit NoNewAccounts(Connection& server)
      : server_{server}, mode_{server.literal(server.value("SELECT @@sql_mode"))} {
    try {
      server_.execute("SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_CREATE_USER')");
    } catch (const ServerError& error) {
      if (error.number() != ER_WRONG_VALUE_FOR_VAR) throw;
    }
  }
  NoNewAccounts(const NoNewAccounts&) = delete;
  NoNewAccounts& operator=(const NoNewAccounts&) = delete;
  ~NoNewAccounts() {
    try {
      server_.execute("SET SESSION sql_mode = " + mode_);
    } catch (const std::exception&) {  // the connection is gone, and its mode with it
    }
  }

 private:
  Connection& server_;
  std::string mode_;
};

void grant(const Call& call, Connection& admin, const std::string& user,
           const std::string& database, bool give) {
  std::string why = "there is no such account";
  bool given = false;
  const NoNewAccounts guard{admin};
  for (const std::string& account : accounts(admin, user)) {
    try {
      admin.execute((give ? "GRANT ALL PRIVILEGES ON " : "REVOKE ALL PRIVILEGES ON ") +
                    grant_pattern(database) + ".*" + (give ? " TO " : " FROM ") + account);
      given = true;
    } catch (const ServerError& error) {  // an account that is not there, as a rule
      why = error.what();
    }
  }
  if (give && !given) {
    call.warning("user \"" + user + "\" could not be given database \"" + database + "\": " + why);
  }
}

void create(Connection& server, const std::string& name, const std::string& shown) {
  try {
    server.execute("CREATE DATABASE " + identifier(name));
  } catch (const ServerError& error) {
    if (error.code() != ErrorCode::PermissionDenied) {
      throw Error{error.code(), "cannot create database \"" + shown + "\": " + error.what(),
                  error.detail()};
    }
    throw Error{ErrorCode::PermissionDenied,
                "cannot create database \"" + shown + "\": " + error.what() +
                    "; give a privileged user for the restore, or the right to create "
                    "`dbackup\\_%` and the target",
                error.detail()};
  }
}

/// Sessions of a killed process may still be at work in there: ends them and waits until they have.
void end_sessions(Connection& server, const std::string& database) {
  for (int i = 0; i < 500; ++i) {
    const auto rows = server.query("SELECT ID FROM information_schema.PROCESSLIST WHERE DB = " +
                                   server.literal(database) + " AND ID <> CONNECTION_ID()");
    if (rows.empty()) return;
    for (const Row& row : rows) {
      try {
        server.execute("KILL " + row[0].value_or("0"));
      } catch (const ServerError&) {  // it has ended by itself
      }
    }
    server.value("SELECT SLEEP(0.01)");
  }
}

/// Ends one session and waits until it has.
void end_session(Connection& server, unsigned long session) {
  const std::string id = std::to_string(session);
  for (int i = 0; i < 500; ++i) {
    if (server.value("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = " + id) ==
        "0") {
      return;
    }
    try {
      server.execute("KILL " + id);
    } catch (const ServerError&) {  // it has ended by itself
    }
    server.value("SELECT SLEEP(0.01)");
  }
}

void drop(Connection& server, const std::string& name) {
  if (!exists(server, name)) return;
  end_sessions(server, name);
  server.execute("SET SESSION foreign_key_checks = 0");
  server.execute("DROP DATABASE IF EXISTS " + identifier(name));
}

std::string random_suffix() {
  std::random_device random;
  std::string out;
  for (int i = 0; i < 16; ++i) out += "0123456789abcdef"[random() & 15U];
  return out;
}

}  // namespace

std::string working_name(const std::string& token) {
  return std::string{kWorking} + token_of(token);
}
std::string before_name(const std::string& token) { return std::string{kBefore} + token_of(token); }
bool is_restore_name(const std::string& name) {
  return name.starts_with(kWorking) || name.starts_with(kBefore);
}

void check_target(Connection& admin, const std::string& name) {
  check_name(name);
  if (is_restore_name(name)) {
    throw Error{ErrorCode::InvalidArgument,
                "database \"" + name + "\" belongs to an unfinished restore"};
  }
  const std::string probe = std::string{kWorking} + "probe-" + random_suffix();
  create(admin, probe, probe);
  drop(admin, probe);
  if (!exists(admin, name)) {
    create(admin, name, name);
    admin.execute("DROP DATABASE " + identifier(name));
    return;
  }
  const std::string table = identifier(name) + "." + identifier("dbackup_probe_" + random_suffix());
  try {
    admin.execute("CREATE TABLE " + table + " (i INT PRIMARY KEY)");  // some servers insist
    admin.execute("DROP TABLE " + table);
  } catch (const ServerError& error) {
    throw Error{error.code(), "database \"" + name + "\" cannot be written: " + error.what(),
                error.detail()};
  }
}

void clean_up(const Call& call, const RestoreLogins& logins, const std::string& token) {
  Connection server = Connection::open(call, logins.admin);
  server.execute(kShortLockWait);
  const std::string before = before_name(token);
  const std::string working = working_name(token);
  end_sessions(server, working);
  end_sessions(server, before);
  prepare_for_definitions(server);
  Journal journal{server, before};
  if (const auto target = journal.target()) {
    journal.undo();
    call.info("database \"" + *target + "\" has its old content back: its restore was killed");
  }
  for (const std::string& name : {working, before}) {
    if (!exists(server, name)) continue;
    if (logins.differ()) grant(call, server, logins.user.user, name, /*give=*/false);
    drop(server, name);
    call.info("removed the database \"" + name + "\" of a restore that was killed");
  }
}

RestoreTarget::RestoreTarget(const Call& call, RestoreLogins logins, std::string name,
                             std::string token)
    : call_{call},
      logins_{std::move(logins)},
      name_{std::move(name)},
      token_{std::move(token)},
      working_{working_name(token_)} {
  Connection server = Connection::open(call_, logins_.admin);
  if (is_restore_name(name_)) {
    throw Error{ErrorCode::InvalidArgument,
                "database \"" + name_ + "\" belongs to an unfinished restore"};
  }
  // The settings of the target, for dumps that say nothing of them.
  const std::string collation = server.value(
      "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA"
      " WHERE SCHEMA_NAME = " +
      server.literal(name_));
  try {
    make(server, working_, collation);
  } catch (const Error& error) {
    // No destructor runs for what was not made whole; a cancelled CREATE may still have worked.
    if (error.code() != ErrorCode::AlreadyExists) undo_as_admin(server.session_id());
    throw;
  }
}

void RestoreTarget::undo_as_admin(unsigned long session) noexcept {
  try {
    Connection server = Connection::open(call_, logins_.admin, "", Patience::Cleanup);
    end_session(server, session);
  } catch (const std::exception&) {  // what can be removed is removed all the same
  }
  undo(0);
}

void RestoreTarget::make(Connection& server, const std::string& name,
                         const std::string& collation) {
  create(server, name, name);
  if (!collation.empty()) {
    server.execute("ALTER DATABASE " + identifier(name) + " COLLATE " + collation);
  }
  if (logins_.differ()) grant(call_, server, logins_.user.user, name, /*give=*/true);
}

void RestoreTarget::keep(const std::vector<Definition>& events, bool sets_collation) {
  Connection server = Connection::open(call_, logins_.admin);
  prepare_for_definitions(server);
  // Somebody who holds a table for long shall not hold us in the middle.
  server.execute("SET SESSION lock_wait_timeout = 60");
  const SwapNames names{.working = working_,
                        .before = before_name(token_),
                        .target = name_,
                        .is_new = !exists(server, name_)};
  const SwapPlan plan = plan_swap(server, names, events, sets_collation);
  for (const std::string& warning : plan.warnings) call_.warning(warning);
  make(server, names.before, "");
  bool has_begun = false;
  try {
    Journal journal{server, names.before};
    journal.write(plan.steps, name_);
    if (names.is_new) create(server, name_, name_);
    has_begun = true;
    journal.run(plan.steps);
  } catch (const Error& error) {
    if (!has_begun) throw;
    bool is_done = false;
    const std::string trouble = walk_back(names, server.session_id(), is_done);
    if (!trouble.empty()) {
      settled_ = true;  // what is needed to bring the target back must stay
      throw Error{error.code(), std::string{error.what()} + "; " + trouble, error.detail()};
    }
    if (!is_done) throw;
  }
  settled_ = true;
  try {
    if (names.is_new && logins_.differ()) {
      Connection admin = Connection::open(call_, logins_.admin, "", Patience::Cleanup);
      grant(call_, admin, logins_.user.user, name_, /*give=*/true);
    }
    drop_own();
  } catch (const std::exception& error) {  // the restore itself is complete
    call_.warning("databases of the restore could not be removed: " + std::string{error.what()});
  }
}

/// What could not be brought back, or "". `is_done`: the restore had been completed already.
std::string RestoreTarget::walk_back(const SwapNames& names, unsigned long session,
                                     bool& is_done) const noexcept {
  try {
    Connection server = Connection::open(call_, logins_.admin, "", Patience::Cleanup);
    server.execute(kShortLockWait);
    end_session(server, session);
    prepare_for_definitions(server);
    Journal journal{server, names.before};
    if (!journal.target()) {
      is_done = true;
      return "";
    }
    journal.undo();
    return "";
  } catch (const std::exception& error) {
    return "database \"" + name_ + "\" could not be brought back to what it was: " + error.what() +
           "; its old tables are in \"" + names.before + "\"";
  }
}

void RestoreTarget::drop_own() {
  Connection server = Connection::open(call_, logins_.admin, "", Patience::Cleanup);
  for (const std::string& name : {working_, before_name(token_)}) {
    if (!exists(server, name)) continue;
    if (logins_.differ()) grant(call_, server, logins_.user.user, name, /*give=*/false);
    drop(server, name);
  }
}

std::string RestoreTarget::undo(unsigned long session) noexcept {
  if (settled_) return "";
  settled_ = true;
  try {
    if (session != 0) {
      Connection server = Connection::open(call_, logins_.user, "", Patience::Cleanup);
      end_session(server, session);
    }
    drop_own();
    return "";
  } catch (const std::exception& error) {
    return "the database \"" + working_ + "\" could not be removed: " + error.what();
  }
}

RestoreTarget::~RestoreTarget() { undo(0); }

}  // namespace dbackup::mysql
