#pragma once

#include <string>
#include <string_view>

#include "dialect.hpp"
#include "sql_scanner.hpp"

namespace dbackup::mysql {

/// What a statement of a dump is about to do.
struct Verdict {
  enum class Act {
    Run,
    Skip,  ///< nothing of it may or need be done; `note` says why, when somebody should know
    Set,   ///< run it: it changes the session, perhaps how quotes are read
    Use,   ///< the dump turns to `name`
    CreateDatabase,  ///< the dump describes `name`; nothing is run
    SetCollation,    ///< run it: the database's own character set
    Event,           ///< to be created when all else is in place
  };

  Act act = Act::Run;
  std::string kind = {};  ///< of the object: "TABLE", "VIEW", …
  std::string name = {};
  std::string text = {};  ///< what to run instead; "" = as it stands
  std::string note = {};
  bool is_data = false;  ///< puts rows into a table
};

/// How the statements of a dump are taken.
struct RestoreRules {
  ServerVersion server;
  QuoteRules quotes;
  std::string original;  ///< the database that the dump is of; "" = not known (yet)
  std::string working;   ///< that is restored into
  bool keep_definers = false;
};

/// Judges one statement by its first words. Only what the dump tools write is let through, and only
/// when it works inside the database at hand: names qualified with `original` or `working` lose
/// that, any other database is refused, as is every kind of statement that acts on the whole
/// server. Data is never looked at. Throws Error{InvalidArgument} naming the line.
Verdict judge(std::string_view text, uint64_t line, const RestoreRules& rules);

/// `text` without `database` before the names in it, wherever that can only be a database: before
/// the name of a function that is called, before table and column, after FROM and JOIN.
std::string without_qualifier(std::string_view text, const RestoreRules& rules,
                              std::string_view database);

}  // namespace dbackup::mysql
