#include "restore_target.hpp"

#include <chrono>

namespace dbackup::postgres {
namespace {

constexpr size_t kNameBytes = 63;  // NAMEDATALEN - 1

std::string create_statement(Connection& server, const std::string& name,
                             const std::string& model) {
  // template0: a dump holds everything, so whatever a site keeps in template1 would only collide.
  std::string sql = "CREATE DATABASE " + server.identifier(name) + " TEMPLATE template0";
  if (model.empty()) return sql;
  // As JSON: the columns differ between server versions.
  const auto rows = server.query(
      "SELECT pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype"
      " FROM pg_catalog.pg_database d WHERE d.datname = $1"
      " AND coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') = 'c'",
      {model});
  if (rows.empty()) return sql;
  const Row& row = rows.front();
  if (row[0]) sql += " ENCODING " + server.literal(*row[0]);
  if (row[1] && row[2]) {
    sql += " LC_COLLATE " + server.literal(*row[1]) + " LC_CTYPE " + server.literal(*row[2]);
  }
  return sql;
}

bool exists(Connection& server, const std::string& name) {
  return !server.query("SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1", {name}).empty();
}

void create(Connection& server, const std::string& working, const std::string& name,
            const std::string& model) {
  try {
    server.query(create_statement(server, working, model));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Cancelled) throw;
    throw Error{error.code(), "cannot create database \"" + name + "\": " + error.what(),
                error.detail()};
  }
}

/// Sessions of a killed tool may still be there for a moment: FORCE ends them, where the server has
/// it.
void drop(Connection& server, const std::string& name) {
  const std::string quoted = server.identifier(name);
  if (server.server_major() >= 13) {
    server.query("DROP DATABASE IF EXISTS " + quoted + " WITH (FORCE)");
    return;
  }
  server.query(
      "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
      " WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid()",
      {name});
  server.query("DROP DATABASE IF EXISTS " + quoted);
}

}  // namespace

void check_name(const std::string& name) {
  if (name.empty()) throw Error{ErrorCode::InvalidArgument, "no database is named"};
  if (name.find('\0') != std::string::npos) {
    throw Error{ErrorCode::InvalidArgument, "a database name must not contain NUL"};
  }
  if (name.size() > kNameBytes) {
    throw Error{ErrorCode::InvalidArgument,
                "database name \"" + name + "\" is longer than 63 bytes"};
  }
}

void check_target(Connection& server, const std::string& name) {
  check_name(name);
  const auto found = server.query(
      "SELECT datistemplate, datallowconn,"
      " pg_catalog.has_database_privilege(oid, 'CONNECT'), current_user"
      " FROM pg_catalog.pg_database WHERE datname = $1",
      {name});
  const std::string quoted = "database \"" + name + "\"";
  if (!found.empty()) {
    const Row& row = found.front();
    if (row[0] == "t") {
      throw Error{
          ErrorCode::InvalidArgument,
          quoted + " is a template: new databases are copied from it; restore into another one"};
    }
    if (row[1] != "t") {
      throw Error{ErrorCode::FailedPrecondition, quoted + " accepts no connections"};
    }
    if (row[2] != "t") {
      throw Error{ErrorCode::PermissionDenied, "user \"" + row[3].value_or("") +
                                                   "\" may not connect to " + quoted +
                                                   "; give a privileged user for the restore"};
    }
    return;
  }
  const auto rights = server.query(
      "SELECT rolcreatedb OR rolsuper, rolname FROM pg_catalog.pg_roles WHERE rolname = "
      "current_user");
  if (rights.empty() || rights.front()[0] != "t") {
    const std::string user = rights.empty() ? "" : rights.front()[1].value_or("");
    throw Error{ErrorCode::PermissionDenied,
                quoted + " does not exist and user \"" + user +
                    "\" may not create it; give a privileged user or the right CREATEDB"};
  }
}

void end_sessions(Connection& server, const std::string& application_name) {
  using namespace std::chrono;
  const auto deadline = steady_clock::now() + seconds{3};
  // The server is asked to pause between two looks, and this query cannot fail for other users'
  // sessions.
  while (steady_clock::now() < deadline) {
    const auto left = server.query(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
        " WHERE application_name = $1 AND usename = current_user"
        " AND pid <> pg_catalog.pg_backend_pid()",
        {application_name});
    if (left.empty()) return;
    server.query("SELECT pg_catalog.pg_sleep(0.01)");
  }
}

std::string working_name(const std::string& token) {
  const bool is_plain = token.find_first_not_of(
                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
                        std::string::npos;
  if (token.empty() || token.size() > 36 || !is_plain) {
    throw Error{ErrorCode::InvalidArgument, "\"token\" must be 1 to 36 letters, digits and '-'"};
  }
  return "dbackup-restore-" + token;
}

void drop_working_database(const Call& call, const TargetAccess& access, const std::string& token) {
  const std::string name = working_name(token);
  Connection server = Connection::open_any(call, access.login, access.configured);
  if (!exists(server, name)) return;
  drop(server, name);
  Call{call}.info("removed the unfinished database \"" + name + "\" of a restore that was killed");
}

RestoreTarget::RestoreTarget(const Call& call, TargetAccess access, std::string name,
                             const std::string& model, const std::string& token)
    : call_{call}, access_{std::move(access)}, name_{std::move(name)}, working_{name_} {
  Connection server = Connection::open_any(call_, access_.login, access_.configured);
  check_target(server, name_);
  if (exists(server, name_)) return;
  working_ = working_name(token);
  create(server, working_, name_, model);
  created_ = true;
  call_.info("created database \"" + name_ + "\", called \"" + working_ + "\" until it is whole");
}

void RestoreTarget::keep() {
  if (created_) {
    Connection server = Connection::open_any(call_, access_.login, access_.configured);
    try {
      server.query("ALTER DATABASE " + server.identifier(working_) + " RENAME TO " +
                   server.identifier(name_));
    } catch (const Error& error) {
      if (error.code() == ErrorCode::AlreadyExists) {  // made by someone else: not ours to replace
        throw Error{ErrorCode::Aborted,
                    "database \"" + name_ + "\" was created by someone else meanwhile"};
      }
      throw Error{error.code(), "the restored database cannot be given its name \"" + name_ +
                                    "\": " + error.what(), error.detail()};
    }
  }
  settled_ = true;
}

RestoreTarget::~RestoreTarget() {
  if (!settled_) undo("");
}

std::string RestoreTarget::undo(const std::string& application_name) noexcept {
  settled_ = true;
  try {
    Connection server =
        Connection::open_any(call_, access_.login, access_.configured, Patience::Cleanup);
    if (!application_name.empty()) end_sessions(server, application_name);
    if (created_) drop(server, working_);
    return "";
  } catch (const std::exception& error) {
    if (!created_) return "";
    return "the new database \"" + working_ + "\" could not be removed: " + error.what();
  }
}

}  // namespace dbackup::postgres
