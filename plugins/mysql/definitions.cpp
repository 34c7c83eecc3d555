#include "definitions.hpp"

#include <algorithm>

namespace dbackup::mysql {

const char* const kPlainSettings =
    "SET SESSION sql_mode = '', character_set_client = utf8mb4,"
    " collation_connection = utf8mb4_general_ci, time_zone = '+00:00'";

namespace {

std::string settings_of(Connection& server, const std::string& mode, const std::string& client,
                        const std::string& collation, const std::string& zone = "") {
  std::string out = "SET SESSION sql_mode = " + server.literal(mode) +
                    ", character_set_client = " + client + ", collation_connection = " + collation;
  if (!zone.empty()) out += ", time_zone = " + server.literal(zone);
  return out;
}

/// Where SHOW CREATE … has the text and what belongs to it.
struct Columns {
  const char* kind;
  size_t text;
  size_t client;
  bool has_mode;
};
constexpr Columns kTrigger{"TRIGGER", 2, 3, true};
constexpr Columns kView{"VIEW", 1, 2, false};
constexpr Columns kEvent{"EVENT", 3, 4, true};

Command show_create(Connection& server, const Columns& columns, const std::string& name) {
  const auto rows =
      server.query("SHOW CREATE " + std::string{columns.kind} + " " + identifier(name));
  if (rows.empty() || rows.front().size() < columns.client + 2 || !rows.front()[columns.text]) {
    throw Error{ErrorCode::PermissionDenied,
                "the definition of the " + lower_case(columns.kind) + " \"" + name +
                    "\" cannot be read by this user; give a privileged user"};
  }
  const Row& row = rows.front();
  const std::string zone = &columns == &kEvent ? row[2].value_or("") : "";
  Command out{.sql = *row[columns.text]};
  out.settings = settings_of(server, columns.has_mode ? row[1].value_or("") : "",
                             row[columns.client].value_or("utf8mb4"),
                             row[columns.client + 1].value_or("utf8mb4_general_ci"), zone);
  if (columns.has_mode && row.size() > columns.client + 2) {
    out.collation = row[columns.client + 2].value_or("");
  }
  return out;
}

std::vector<Row> in_schema(Connection& server, const std::string& select,
                           const std::string& schema_column, const std::string& database,
                           const std::string& order) {
  return server.query(select + " WHERE " + schema_column + " = " + server.literal(database) +
                      " ORDER BY " + order);
}

}  // namespace

Command Definition::drop(const std::string& database) const {
  Command out{.sql =
                  "DROP " + kind + " IF EXISTS " + identifier(database) + "." + identifier(name)};
  // Packages are words of this mode alone.
  if (kind.starts_with("PACKAGE")) out.settings = "SET SESSION sql_mode = 'ORACLE'";
  return out;
}

bool Content::has_table(const std::string& name) const {
  return std::find(tables.begin(), tables.end(), name) != tables.end();
}

void prepare_for_definitions(Connection& server) {
  server.execute(kPlainSettings);
  server.execute("SET SESSION character_set_results = NULL, foreign_key_checks = 0");
}

std::string session_settings(Connection& server) {
  const auto rows = server.query(
      "SELECT @@sql_mode, @@character_set_client, @@collation_connection, @@time_zone");
  const Row& row = rows.at(0);
  return settings_of(server, row.at(0).value_or(""), row.at(1).value_or("utf8mb4"),
                     row.at(2).value_or("utf8mb4_general_ci"), row.at(3).value_or(""));
}

std::vector<Definition> read_events(Connection& server, const std::string& database) {
  std::vector<Definition> out;
  server.execute("USE " + identifier(database));
  for (const Row& row :
       in_schema(server, "SELECT EVENT_NAME, DEFINER FROM information_schema.EVENTS",
                 "EVENT_SCHEMA", database, "EVENT_NAME")) {
    const std::string name = row[0].value_or("");
    out.push_back({.kind = "EVENT",
                   .name = name,
                   .table = "",
                   .definer = row[1].value_or(""),
                   .create = show_create(server, kEvent, name)});
  }
  return out;
}

Content read_content(Connection& server, const std::string& database) {
  Content out;
  server.execute("USE " + identifier(database));
  for (const Row& row :
       in_schema(server, "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES",
                 "TABLE_SCHEMA", database, "TABLE_NAME")) {
    const std::string name = row[0].value_or("");
    if (row[1] != "VIEW") {
      out.tables.push_back(name);
      continue;
    }
    out.views.push_back({.kind = "VIEW",
                         .name = name,
                         .table = "",
                         .definer = "",
                         .create = show_create(server, kView, name)});
  }
  for (const Row& row :
       in_schema(server, "SELECT TABLE_NAME, DEFINER FROM information_schema.VIEWS", "TABLE_SCHEMA",
                 database, "TABLE_NAME")) {
    for (Definition& view : out.views) {
      if (view.name == row[0]) view.definer = row[1].value_or("");
    }
  }
  for (const Row& row : in_schema(
           server,
           "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, DEFINER FROM information_schema.TRIGGERS",
           "TRIGGER_SCHEMA", database,
           "EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER")) {
    const std::string name = row[0].value_or("");
    out.triggers.push_back({.kind = "TRIGGER",
                            .name = name,
                            .table = row[1].value_or(""),
                            .definer = row[2].value_or(""),
                            .create = show_create(server, kTrigger, name)});
  }
  for (const Row& row : in_schema(
           server, "SELECT ROUTINE_NAME, ROUTINE_TYPE, DEFINER FROM information_schema.ROUTINES",
           "ROUTINE_SCHEMA", database, "ROUTINE_TYPE, ROUTINE_NAME")) {
    const std::string name = row[0].value_or("");
    const std::string kind = row[1].value_or("");
    const Columns columns{kind.c_str(), 2, 3, true};
    out.routines.push_back({.kind = kind,
                            .name = name,
                            .table = "",
                            .definer = row[2].value_or(""),
                            .create = show_create(server, columns, name)});
  }
  out.events = read_events(server, database);
  out.collation = server.value(
      "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = " +
      server.literal(database));
  return out;
}

}  // namespace dbackup::mysql
