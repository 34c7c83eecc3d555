#pragma once

#include <functional>
#include <string>
#include <vector>

#include "connection.hpp"
#include "definitions.hpp"

namespace dbackup::mysql {

/// One step from the old content of a database to the new, and the way back. The way back of a step
/// that was not done must be harmless: it fails, or changes nothing.
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
  Journal(Connection& server, std::string home, std::string target)
      : server_{server}, home_{std::move(home)}, target_{std::move(target)} {}

  /// Is there something written down in `home` that was not finished?
  bool is_open();
  /// Writes the way back down. To be followed by run().
  void write(const std::vector<Step>& steps);
  /// Runs all steps and forgets the way back. Throws what the server refused; then undo() is due.
  void run(const std::vector<Step>& steps);
  /// Walks back from wherever run() had come, by what is written down. Throws Error naming what
  /// could not be brought back.
  void undo();

 private:
  void run_all(const std::vector<Command>& commands, bool any_order);
  void end_writer();
  void run_one(const Command& command);
  std::string undo_last(const std::vector<Command>& commands);
  std::string table(const char* name) const;

  Connection& server_;
  std::string home_;
  std::string target_;
};

}  // namespace dbackup::mysql
