#pragma once

#include <dbackup/source.hpp>
#include <set>
#include <string>
#include <vector>

#include "connection.hpp"
#include "definitions.hpp"
#include "sql_scanner.hpp"
#include "statement.hpp"

namespace dbackup::mysql {

struct LoadOptions {
  std::string original;  ///< database of the dump; "" = the first one it names
  std::string working;   ///< exists; is filled
  std::string target;    ///< what it is called in the end
  bool keep_definers = false;
};

/// Runs a dump, statement by statement, inside one database. The end of `in` is reached in every
/// case that returns.
class Loader {
 public:
  Loader(const Call& call, Connection& server, LoadOptions options);

  /// Throws Error naming the line of the dump and what the server said; {DataLoss} when the dump
  /// has a beginning but not its end.
  void run(Reader& in);

  /// Those the dump creates, which run() leaves out: they would begin to work at once.
  const std::vector<Definition>& events() const noexcept { return events_; }
  /// Did the dump set the character set of the database?
  bool sets_collation() const noexcept { return sets_collation_; }

 private:
  void take(const ScannedStatement& statement);
  void run_sql(const Verdict& verdict, const ScannedStatement& statement);
  void turn_to(const std::string& database);
  void add_event(const Verdict& verdict, const ScannedStatement& statement);
  void read_rules(uint64_t line);
  void note_other_names(const Verdict& verdict, std::string_view text);

  Call call_;
  Connection& server_;
  RestoreRules rules_;
  std::string target_;
  SqlScanner* scanner_ = nullptr;
  bool is_elsewhere_ = false;  ///< in a part of the dump that is another database's
  std::set<std::string> left_out_;
  std::set<std::string> notes_;
  bool has_own_ = false;
  std::vector<Definition> events_;
  bool sets_collation_ = false;
};

}  // namespace dbackup::mysql
