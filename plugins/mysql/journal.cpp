#include "journal.hpp"

#include <mysqld_error.h>

#include <optional>

// dbackup_state: one row, the number of the step that runs or ran last (-1: none), and whose
// session. dbackup_undo:  the way back of step `step`, its commands in the order of `seq`. Both
// exist exactly while the target is between its old and its new content: dropping dbackup_state is
// the commit.

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

bool is_done_already(unsigned number) {
  switch (number) {
    case ER_TABLE_EXISTS_ERROR:
    case ER_TRG_ALREADY_EXISTS:
    case ER_SP_ALREADY_EXISTS:
    case ER_EVENT_ALREADY_EXISTS:
    case ER_NO_SUCH_TABLE:
    case ER_BAD_TABLE_ERROR:
    case ER_TRG_DOES_NOT_EXIST:
    case ER_SP_DOES_NOT_EXIST:
    case ER_EVENT_DOES_NOT_EXIST:
    case ER_DB_DROP_EXISTS:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string Journal::table(const char* name) const {
  return identifier(home_) + "." + identifier(name);
}

bool Journal::is_open() {
  return server_.value(
             "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = 'dbackup_state'"
             " AND TABLE_SCHEMA = " +
             server_.literal(home_)) == "1";
}

void Journal::write(const std::vector<Step>& steps) {
  server_.execute("CREATE TABLE " + table("dbackup_undo") +
                  " (step INT, seq INT, any_order INT, body LONGBLOB, settings LONGBLOB,"
                  " collation LONGBLOB, PRIMARY KEY (step, seq)) ENGINE=InnoDB");
  for (size_t step = 0; step < steps.size(); ++step) {
    for (size_t seq = 0; seq < steps[step].undo.size(); ++seq) {
      const Command& command = steps[step].undo[seq];
      server_.execute("INSERT INTO " + table("dbackup_undo") + " VALUES (" + std::to_string(step) +
                      ", " + std::to_string(seq) + ", " + (steps[step].any_order ? "1" : "0") +
                      ", " + hex_literal(command.sql) + ", " + hex_literal(command.settings) +
                      ", " + hex_literal(command.collation) + ")");
    }
  }
  server_.execute("CREATE TABLE " + table("dbackup_state") +
                  " ENGINE=InnoDB SELECT -1 AS step, CONNECTION_ID() AS session");
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

/// Of the last step it is not known how far it had come: what it had not done is there already, or
/// is not there to be taken away. Twice, for views that need each other. What else went wrong, or
/// "".
std::string Journal::undo_last(const std::vector<Command>& commands) {
  std::string trouble;
  for (int round = 0; round < 2; ++round) {
    trouble.clear();
    for (const Command& command : commands) {
      try {
        run_one(command);
      } catch (const ServerError& error) {
        if (error.code() == ErrorCode::Unavailable) throw;
        if (!is_done_already(error.number()) && trouble.empty()) trouble = error.what();
      }
    }
  }
  return trouble;
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

void Journal::undo() {
  if (!is_open()) return;
  end_writer();
  const int reached =
      std::stoi("0" + server_.value("SELECT step + 1 FROM " + table("dbackup_state")));
  std::string trouble;
  for (int step = reached - 1; step >= 0; --step) {
    std::vector<Command> commands;
    bool any_order = false;
    for (const Row& row :
         server_.query("SELECT body, settings, collation, any_order FROM " + table("dbackup_undo") +
                       " WHERE step = " + std::to_string(step) + " ORDER BY seq")) {
      commands.push_back({.sql = row[0].value_or(""),
                          .settings = row[1].value_or(""),
                          .collation = row[2].value_or("")});
      any_order = row[3] == "1";
    }
    if (step == reached - 1) {
      trouble = undo_last(commands);
      continue;
    }
    try {
      run_all(commands, any_order);
    } catch (const ServerError& error) {
      if (error.code() == ErrorCode::Unavailable) throw;
      if (trouble.empty()) trouble = error.what();
    }
  }
  if (!trouble.empty()) throw Error{ErrorCode::Internal, trouble};
  server_.execute("DROP TABLE " + table("dbackup_state"));
}

}  // namespace dbackup::mysql
