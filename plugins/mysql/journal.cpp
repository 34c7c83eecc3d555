#include "journal.hpp"

#include <mysqld_error.h>

#include <optional>

// dbackup_state: one row with the step that runs, ran last or is to be undone next (-1: none),
// whose
//   session is at it, and which database it is about: one token serves all databases of a restore.
// dbackup_undo: the way back of step `step`, its commands in the order of `seq`.
// The row exists exactly while the target is between its old and its new content: dropping
// dbackup_state is the commit. Both tables have keys, for servers take none without one
// (innodb_force_primary_key, sql_require_primary_key).

namespace dbackup::mysql {
namespace {

std::string hex_literal(const std::string& bytes) {
  if (bytes.empty()) return "''";
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "0x";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

/// Does this refusal of a command of the way back say that nothing of it was left to do? A CREATE
/// that misses a table has not been done, so what counts depends on the kind of the command.
bool is_done_already(const std::string& sql, unsigned number) {
  if (sql.starts_with("CREATE ")) {
    return number == ER_TABLE_EXISTS_ERROR || number == ER_TRG_ALREADY_EXISTS ||
           number == ER_SP_ALREADY_EXISTS || number == ER_EVENT_ALREADY_EXISTS;
  }
  // What it would move is not there, or what it would make room for is: left_behind() looks again.
  if (sql.starts_with("RENAME ")) {
    return number == ER_TABLE_EXISTS_ERROR || number == ER_NO_SUCH_TABLE;
  }
  // Its object is gone, or the old one of another kind has the name again.
  return sql.starts_with("DROP ") &&
         (number == ER_DB_DROP_EXISTS || number == ER_WRONG_OBJECT || number == ER_BAD_TABLE_ERROR);
}

}  // namespace

std::string Journal::table(const char* name) const {
  return identifier(home_) + "." + identifier(name);
}

std::optional<std::string> Journal::target() {
  if (server_.value("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME ="
                    " 'dbackup_state' AND TABLE_SCHEMA = " +
                    server_.literal(home_)) == "0") {
    return std::nullopt;
  }
  const auto rows = server_.query("SELECT target FROM " + table("dbackup_state"));
  return rows.empty() ? std::nullopt : rows.front().at(0);
}

void Journal::write(const std::vector<Step>& steps, const std::string& target) {
  target_ = target;
  server_.execute("CREATE TABLE " + table("dbackup_undo") +
                  " (step INT, seq INT, body LONGBLOB, settings LONGBLOB, collation LONGBLOB,"
                  " PRIMARY KEY (step, seq)) ENGINE=InnoDB");
  for (size_t step = 0; step < steps.size(); ++step) {
    for (size_t seq = 0; seq < steps[step].undo.size(); ++seq) {
      const Command& command = steps[step].undo[seq];
      server_.execute("INSERT INTO " + table("dbackup_undo") + " VALUES (" + std::to_string(step) +
                      ", " + std::to_string(seq) + ", " + hex_literal(command.sql) + ", " +
                      hex_literal(command.settings) + ", " + hex_literal(command.collation) + ")");
    }
  }
  server_.execute("CREATE TABLE " + table("dbackup_state") +
                  " (id INT PRIMARY KEY, step INT NOT NULL, session BIGINT UNSIGNED NOT NULL,"
                  " target VARBINARY(1024) NOT NULL) ENGINE=InnoDB");
  server_.execute("INSERT INTO " + table("dbackup_state") + " VALUES (1, -1, CONNECTION_ID(), " +
                  hex_literal(target) + ")");
}

void Journal::run_one(const Command& command) {
  std::string before;
  if (!command.collation.empty()) {
    before = server_.value("SELECT @@collation_database");
    if (before != command.collation) {
      server_.execute("ALTER DATABASE " + identifier(target_) + " COLLATE " + command.collation);
    }
  }
  if (!command.settings.empty()) server_.execute(command.settings);
  std::optional<ServerError> failure;
  try {
    server_.execute(command.sql);
  } catch (const ServerError& error) {
    failure = error;
  }
  if (!command.settings.empty()) server_.execute(kPlainSettings);
  if (before != command.collation && !before.empty()) {
    server_.execute("ALTER DATABASE " + identifier(target_) + " COLLATE " + before);
  }
  if (failure) throw *failure;
}

void Journal::run_all(const std::vector<Command>& commands, bool any_order) {
  std::vector<const Command*> left;
  for (const Command& command : commands) left.push_back(&command);
  while (!left.empty()) {
    std::vector<const Command*> failed;
    std::optional<ServerError> failure;
    for (const Command* command : left) {
      try {
        run_one(*command);
      } catch (const ServerError& error) {
        if (!any_order || error.code() == ErrorCode::Unavailable) throw;
        if (!failure) failure = error;
        failed.push_back(command);
      }
    }
    if (failed.size() == left.size()) throw *failure;  // nothing has moved: it is not the order
    left = std::move(failed);
  }
}

void Journal::run(const std::vector<Step>& steps) {
  for (size_t i = 0; i < steps.size(); ++i) {
    server_.execute("UPDATE " + table("dbackup_state") + " SET step = " + std::to_string(i));
    try {
      run_all(steps[i].apply, steps[i].any_order);
    } catch (const ServerError& error) {
      throw ServerError{error.code(), error.number(),
                        "cannot " + steps[i].what + ": " + error.what(), error.detail()};
    }
  }
  server_.execute("DROP TABLE " + table("dbackup_state"));
}

/// Of a step it is not known how far it had come, nor how far an earlier walk back had: what was
/// not done is there already, or is not there to be taken away. What needs others (views do) comes
/// when those are there. What went wrong, or "".
std::string Journal::undo_all(const std::vector<Command>& commands) {
  std::vector<const Command*> left;
  for (const Command& command : commands) left.push_back(&command);
  while (!left.empty()) {
    std::vector<const Command*> failed;
    std::string trouble;
    for (const Command* command : left) {
      try {
        run_one(*command);
      } catch (const ServerError& error) {
        if (error.code() == ErrorCode::Unavailable) throw;
        if (is_done_already(command->sql, error.number())) continue;
        if (trouble.empty()) trouble = error.what();
        failed.push_back(command);
      }
    }
    if (failed.size() == left.size()) return trouble;  // nothing has moved: it is not the order
    left = std::move(failed);
  }
  return "";
}

/// The one who wrote the journal may be dead and its last statement still waiting for a lock.
void Journal::end_writer() {
  const std::string session = server_.value("SELECT session FROM " + table("dbackup_state"));
  // Numbers begin anew with the server: only ours, and only where it was at work.
  const std::string which = " FROM information_schema.PROCESSLIST WHERE ID = '" + session +
                            "' AND ID <> CONNECTION_ID() AND DB = " + server_.literal(target_) +
                            " AND USER = SUBSTRING_INDEX(USER(), '@', 1)";
  constexpr int kRounds = 1000;
  for (int i = 0; i < kRounds && server_.value("SELECT COUNT(*)" + which) != "0"; ++i) {
    try {
      server_.execute("KILL " + session);
    } catch (const ServerError&) {  // it has ended by itself
    }
    server_.value("SELECT SLEEP(0.01)");
  }
}

std::vector<Command> Journal::read_step(int step) {
  std::vector<Command> out;
  for (const Row& row :
       server_.query("SELECT body, settings, collation FROM " + table("dbackup_undo") +
                     " WHERE step = " + std::to_string(step) + " ORDER BY seq")) {
    out.push_back({.sql = row[0].value_or(""),
                   .settings = row[1].value_or(""),
                   .collation = row[2].value_or("")});
  }
  return out;
}

/// `home` is dropped after the way back: whatever old table is still in there must not go with it.
std::string Journal::left_behind() {
  const std::string name = server_.value(
      "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_NAME NOT IN"
      " ('dbackup_state', 'dbackup_undo') AND TABLE_SCHEMA = " +
      server_.literal(home_) + " LIMIT 1");
  return name.empty() ? "" : "the table \"" + name + "\" could not be moved back";
}

void Journal::undo() {
  const std::optional<std::string> target = this->target();
  if (!target) return;
  target_ = *target;
  end_writer();
  if (server_.value("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = " +
                    server_.literal(target_)) != "0") {
    server_.execute("USE " + identifier(target_));
  }
  const std::string state = table("dbackup_state");
  server_.execute("UPDATE " + state + " SET session = CONNECTION_ID()");
  std::string trouble;
  for (int step = std::stoi(server_.value("SELECT step FROM " + state)); step >= 0; --step) {
    const std::string said = undo_all(read_step(step));
    if (trouble.empty()) trouble = said;
    // The rest is brought back all the same; the next walk begins at what was not.
    if (!trouble.empty()) continue;
    server_.execute("UPDATE " + state + " SET step = " + std::to_string(step - 1));
  }
  if (trouble.empty()) trouble = left_behind();
  if (!trouble.empty()) throw Error{ErrorCode::Internal, trouble};
  server_.execute("DROP TABLE " + state);
}

}  // namespace dbackup::mysql
