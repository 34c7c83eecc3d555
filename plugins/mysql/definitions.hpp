#pragma once

#include <string>
#include <vector>

#include "connection.hpp"

namespace dbackup::mysql {

/// One statement together with the session it has to run in.
struct Command {
  std::string sql;
  std::string settings = {};   ///< a SET statement that comes first; "" = none
  std::string collation = {};  ///< that the database has meanwhile; "" = its own
};

/// A view, trigger, routine or event as the server would write it down, with the character sets and
/// the sql_mode it was made under.
struct Definition {
  std::string
      kind;  ///< "VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "PACKAGE", "PACKAGE BODY", "EVENT"
  std::string name;
  std::string table;  ///< of a trigger
  std::string definer;
  Command create;

  Command drop(const std::string& database) const;
};

/// What a database holds beside the rows.
struct Content {
  std::vector<std::string> tables;  ///< sequences included
  std::vector<Definition> views;
  std::vector<Definition> triggers;  ///< in the order they fire in
  std::vector<Definition> routines;
  std::vector<Definition> events;
  std::string collation;  ///< default of the database

  bool has_table(const std::string& name) const;
};

/// Sets the session up for reading and writing definitions byte for byte: texts come in the
/// character set they were made in.
void prepare_for_definitions(Connection& server);

/// Reads all of `database`, which becomes the current one. Throws Error{PermissionDenied} naming
/// what the login may not see.
Content read_content(Connection& server, const std::string& database);
/// The events alone.
std::vector<Definition> read_events(Connection& server, const std::string& database);

/// The settings of the session as a command could need them again.
std::string session_settings(Connection& server);

/// Undoes what Command::settings has set.
extern const char* const kPlainSettings;

}  // namespace dbackup::mysql
