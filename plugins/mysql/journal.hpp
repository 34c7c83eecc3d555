#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connection.hpp"
#include "definitions.hpp"

namespace dbackup::mysql {

/// One step from the old content of a database to the new, and the way back. The way back must be
/// harmless when the step was not done, and when it is walked a second time.
struct Step {
  std::string what;
  std::vector<Command> apply;
  std::vector<Command> undo;
  bool any_order = false;  ///< views: those that need others come when those are there
};

/// Takes a database through its steps, or back to where it was. The way back is written down on the
/// server first, in tables of the database `home`, so that it can be walked by another process
/// after this one was killed.
class Journal {
 public:
  Journal(Connection& server, std::string home) : server_{server}, home_{std::move(home)} {}

  /// The database whose way back is written down in `home` and was not walked to its end.
  std::optional<std::string> target();
  /// Writes the way back of `target` down. To be followed by run().
  void write(const std::vector<Step>& steps, const std::string& target);
  /// Runs all steps and forgets the way back. Throws what the server refused; then undo() is due.
  void run(const std::vector<Step>& steps);
  /// Walks target() back from wherever run() had come, by what is written down. When it is
  /// interrupted, the next one goes on from there. Throws Error naming what could not be brought
  /// back.
  void undo();

 private:
  void run_all(const std::vector<Command>& commands, bool any_order);
  void end_writer();
  void run_one(const Command& command);
  std::vector<Command> read_step(int step);
  std::string undo_all(const std::vector<Command>& commands);
  std::string left_behind();
  std::string table(const char* name) const;

  Connection& server_;
  std::string home_;
  std::string target_;  ///< of what was written or is being undone
};

}  // namespace dbackup::mysql
