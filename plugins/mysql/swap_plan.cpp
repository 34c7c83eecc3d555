#include "swap_plan.hpp"

#include <algorithm>
#include <set>

namespace dbackup::mysql {
namespace {

std::string dotted(const std::string& database, const std::string& name) {
  return identifier(database) + "." + identifier(name);
}

std::string without(std::string text, const std::string& piece) {
  for (size_t at = text.find(piece); at != std::string::npos; at = text.find(piece, at)) {
    text.erase(at, piece.size());
  }
  return text;
}

/// What the target has and loses to the restored content.
struct Replaced {
  std::set<std::string> tables;
  std::vector<Definition> views;
  std::vector<Definition> triggers;
  std::vector<Definition> routines;
  std::vector<Definition> events;
};

bool names(const std::vector<Definition>& list, const Definition& wanted) {
  return std::any_of(list.begin(), list.end(), [&](const Definition& item) {
    return item.name == wanted.name && item.kind == wanted.kind;
  });
}

/// Routines and events, by what the server takes for the same name: neither case nor accents count
/// there. A package takes its body with it.
class Namesakes {
 public:
  Namesakes(Connection& server, const std::vector<Definition>& list) : server_{server} {
    for (const Definition& item : list) {
      add(item.kind, item.name);
      if (item.kind == "PACKAGE") add("PACKAGE BODY", item.name);
    }
  }
  bool have(const Definition& item) const {
    return !keys_.empty() && keys_.count(key(item.kind, item.name)) != 0;
  }

 private:
  void add(const std::string& kind, const std::string& name) { keys_.insert(key(kind, name)); }
  std::string key(const std::string& kind, const std::string& name) const {
    return kind + " " +
           server_.value("SELECT HEX(WEIGHT_STRING(CONVERT(" + server_.literal(name) +
                         " USING utf8mb4) COLLATE utf8mb4_general_ci))");
  }

  Connection& server_;
  std::set<std::string> keys_;
};

Replaced replaced_by(Connection& server, const Content& fresh,
                     const std::vector<Definition>& events, const Content& old) {
  Replaced out;
  const auto takes_name = [&](const std::string& name) {
    return fresh.has_table(name) ||
           std::any_of(fresh.views.begin(), fresh.views.end(),
                       [&](const Definition& view) { return view.name == name; });
  };
  for (const std::string& name : old.tables) {
    if (takes_name(name)) out.tables.insert(name);
  }
  for (const Definition& view : old.views) {
    if (takes_name(view.name)) out.views.push_back(view);
  }
  for (const Definition& trigger : old.triggers) {
    if (out.tables.count(trigger.table) != 0 || names(fresh.triggers, trigger)) {
      out.triggers.push_back(trigger);
    }
  }
  const Namesakes new_routines{server, fresh.routines};
  for (const Definition& routine : old.routines) {
    if (new_routines.have(routine)) out.routines.push_back(routine);
  }
  const Namesakes new_events{server, events};
  for (const Definition& event : old.events) {
    if (new_events.have(event)) out.events.push_back(event);
  }
  return out;
}

/// Dropping a routine takes the rights away that were granted on it alone.
void warn_of_grants(Connection& server, const SwapNames& names, const Replaced& replaced,
                    std::vector<std::string>& warnings) {
  std::string list;
  for (const Definition& routine : replaced.routines) {
    list += list.empty() ? "(" : ", (";
    list.append(server.literal(routine.kind)).append(", ").append(server.literal(routine.name));
    list += ')';
  }
  if (list.empty()) return;
  try {
    for (const Row& row : server.query(
             "SELECT Routine_type, Routine_name, GROUP_CONCAT(User, '@', Host SEPARATOR ', ')"
             " FROM mysql.procs_priv WHERE (Routine_type, Routine_name) IN (" +
             list + ") AND Db = " + server.literal(names.target) +
             " AND CONCAT(User, '@', Host) <> CURRENT_USER() GROUP BY Routine_type, Routine_name" +
             " ORDER BY Routine_name")) {
      warnings.push_back(
          "the " + lower_case(row[0].value_or("")) + " \"" + row[1].value_or("") +
          "\" is replaced, and the rights on it alone are lost, of: " + row[2].value_or(""));
    }
  } catch (const ServerError& error) {
    if (error.code() == ErrorCode::Unavailable) throw;  // else it may not be read, as a rule
  }
}

/// A foreign key of a table that stays follows the table it points to into what is dropped.
void refuse_outside_keys(Connection& server, const SwapNames& names, const Replaced& replaced) {
  if (replaced.tables.empty()) return;
  for (const Row& row : server.query(
           "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, REFERENCED_TABLE_NAME"
           " FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE UNIQUE_CONSTRAINT_SCHEMA = " +
           server.literal(names.target))) {
    const std::string schema = row[0].value_or("");
    const std::string table = row[1].value_or("");
    const std::string parent = row[2].value_or("");
    if (replaced.tables.count(parent) == 0) continue;
    if (schema == names.target && replaced.tables.count(table) != 0) continue;
    throw Error{ErrorCode::FailedPrecondition, "table \"" + schema + "\".\"" + table +
                                                   "\", which the backup does not hold, has a "
                                                   "foreign key to \"" +
                                                   parent +
                                                   "\", which would be replaced; drop the key, or "
                                                   "restore under another name"};
  }
}

void refuse_dangling_keys(Connection& server, const SwapNames& names, const Content& fresh) {
  for (const Row& row :
       server.query("SELECT TABLE_NAME, REFERENCED_TABLE_NAME"
                    " FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = " +
                    server.literal(names.working) +
                    " AND UNIQUE_CONSTRAINT_SCHEMA = " + server.literal(names.working))) {
    if (fresh.has_table(row[1].value_or(""))) continue;
    throw Error{ErrorCode::FailedPrecondition,
                "the backup's table \"" + row[0].value_or("") + "\" has a foreign key to \"" +
                    row[1].value_or("") + "\", which the backup does not hold"};
  }
}

/// Bringing an object back under its definer may need more rights than taking it away.
void require_definers(Connection& server, const Replaced& replaced) {
  const std::string me = server.value("SELECT CURRENT_USER()");
  std::string other;
  for (const auto* list :
       {&replaced.views, &replaced.triggers, &replaced.routines, &replaced.events}) {
    for (const Definition& item : *list) {
      if (item.definer != me) other = lower_case(item.kind) + " \"" + item.name + "\"";
    }
  }
  if (other.empty()) return;
  for (const Row& row : server.query("SHOW GRANTS")) {
    const std::string grants = row[0].value_or("");
    if (grants.find(" ON *.* TO ") == std::string::npos) continue;
    for (const char* right :
         {"ALL PRIVILEGES", "SUPER", "SET USER", "SET_USER_ID", "SET_ANY_DEFINER"}) {
      if (grants.find(right) != std::string::npos) return;
    }
  }
  throw Error{ErrorCode::PermissionDenied,
              "the " + other +
                  " of the target belongs to another user: replacing it needs the right "
                  "SET USER; give a privileged user for the restore"};
}

/// Sequences are named with their database in the defaults of columns.
void add_defaults(Connection& server, const SwapNames& names, Step& step) {
  const std::string qualifier = identifier(names.working) + ".";
  for (const Row& row :
       server.query("SELECT TABLE_NAME, COLUMN_NAME, COLUMN_DEFAULT FROM information_schema.COLUMNS"
                    " WHERE TABLE_SCHEMA = " +
                    server.literal(names.working) + " AND LOCATE(" + server.literal(qualifier) +
                    ", COLUMN_DEFAULT) > 0")) {
    step.apply.push_back({.sql = "ALTER TABLE " + dotted(names.target, row[0].value_or("")) +
                                 " ALTER COLUMN " + identifier(row[1].value_or("")) +
                                 " SET DEFAULT (" + without(row[2].value_or(""), qualifier) + ")"});
  }
}

Step drops(const std::string& what, const std::string& database,
           const std::vector<Definition>& list) {
  Step step{.what = what, .apply = {}, .undo = {}};
  for (const Definition& item : list) {
    step.apply.push_back(item.drop(database));
    step.undo.push_back(item.create);
  }
  return step;
}

Step creations(const std::string& what, const SwapNames& names,
               const std::vector<Definition>& list) {
  Step step{.what = what, .apply = {}, .undo = {}};
  for (const Definition& item : list) {
    Command create = item.create;
    // The server writes functions that views call with the database they are in.
    if (item.kind == "VIEW") create.sql = without(create.sql, identifier(names.working) + ".");
    step.apply.push_back(std::move(create));
    step.undo.push_back(item.drop(names.target));
  }
  return step;
}

/// All at once there. One by one back: a server that was killed in the middle may have moved some.
Step moves(const SwapNames& names, const Content& fresh, const Replaced& replaced) {
  Step step{.what = "put the tables in their place", .apply = {}, .undo = {}};
  std::string there;
  const auto move = [&](const std::string& from, const std::string& to) {
    there += (there.empty() ? "RENAME TABLE " : ", ") + from + " TO " + to;
  };
  const auto move_back = [&](const std::string& from, const std::string& to) {
    step.undo.push_back({.sql = "RENAME TABLE " + from + " TO " + to});
  };
  for (const std::string& name : fresh.tables) {
    move_back(dotted(names.target, name), dotted(names.working, name));
  }
  for (const std::string& name : replaced.tables) {
    move(dotted(names.target, name), dotted(names.before, name));
    move_back(dotted(names.before, name), dotted(names.target, name));
  }
  for (const std::string& name : fresh.tables) {
    move(dotted(names.working, name), dotted(names.target, name));
  }
  if (!there.empty()) step.apply.push_back({.sql = there});
  return step;
}

/// Others are in the database that objects are made in: the collation that run_one() gives it
/// meanwhile must not stay when we do not.
Step set_collation(const SwapNames& names, const Content& fresh, const Content& old,
                   bool sets_collation) {
  Step step{.what = "set the character set", .apply = {}, .undo = {}};
  const std::string alter = "ALTER DATABASE " + identifier(names.target) + " COLLATE ";
  if ((names.is_new || sets_collation) && fresh.collation != old.collation) {
    step.apply.push_back({.sql = alter + fresh.collation});
  }
  if (!names.is_new) step.undo.push_back({.sql = alter + old.collation});
  return step;
}

}  // namespace

SwapPlan plan_swap(Connection& server, const SwapNames& names,
                   const std::vector<Definition>& events, bool sets_collation) {
  SwapPlan out;
  const Content fresh = read_content(server, names.working);
  Content old;
  if (!names.is_new) old = read_content(server, names.target);
  const Replaced replaced = replaced_by(server, fresh, events, old);
  refuse_dangling_keys(server, names, fresh);
  refuse_outside_keys(server, names, replaced);
  require_definers(server, replaced);
  warn_of_grants(server, names, replaced, out.warnings);

  std::vector<Step>& steps = out.steps;
  steps.push_back({.what = "turn to the database",
                   .apply = {{.sql = "USE " + identifier(names.target)}},
                   .undo = {}});
  steps.push_back(set_collation(names, fresh, old, sets_collation));
  steps.push_back(drops("take the old events away", names.target, replaced.events));
  steps.push_back(drops("take the old triggers away", names.target, replaced.triggers));
  // The last one first: those that come back fire after those that had not gone yet.
  std::reverse(steps.back().apply.begin(), steps.back().apply.end());
  Step loaded = drops("take the loaded triggers off", names.working, fresh.triggers);
  loaded.undo.clear();  // what was loaded is dropped anyway
  steps.push_back(std::move(loaded));
  steps.push_back(drops("take the old views away", names.target, replaced.views));
  steps.back().any_order = true;
  steps.push_back(moves(names, fresh, replaced));
  Step defaults{.what = "set the defaults of columns", .apply = {}, .undo = {}};
  add_defaults(server, names, defaults);
  steps.push_back(std::move(defaults));
  steps.push_back(drops("take the old routines away", names.target, replaced.routines));
  steps.push_back(creations("create the routines", names, fresh.routines));
  steps.push_back(creations("create the views", names, fresh.views));
  steps.back().any_order = true;
  steps.push_back(creations("create the triggers", names, fresh.triggers));
  steps.push_back(creations("create the events", names, events));
  if (names.is_new) {  // everything that is in it goes with it
    for (Step& step : steps) step.undo.clear();
    steps.front().undo.push_back({.sql = "DROP DATABASE " + identifier(names.target)});
  }
  return out;
}

}  // namespace dbackup::mysql
