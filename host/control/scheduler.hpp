#pragma once

#include <functional>
#include <memory>

#include "control/context.hpp"

namespace dbackup::host {

class SystemTasks;

/// Makes the runs that are due. One thread; it sleeps until the next due time, looks at the store when
/// told of a change and once a minute besides (other hosts change it too).
///
/// A due time is a row, unique on (job, time), inserted in the transaction that makes the waiting
/// execution: several hosts on one database make one run, and a crash leaves both or neither.
/// What a host could not do in time - it was down, or the store did not answer - is made up for within
/// one minute after the due time; later ones are not run, the log says which.
/// System tasks fire by the same rules, without being told as missed. [any-thread]
class Scheduler {
 public:
  /// `kick`: called after runs were made. All must outlive it.
  Scheduler(const ControlContext& context, SystemTasks& tasks, std::function<void()> kick);
  ~Scheduler();  ///< stop()

  void start();
  /// Nothing fires once it returned. Idempotent.
  void stop();
  /// Jobs, presets, system tasks or the time zone have changed: looks again at once. Cheap.
  void refresh();
  /// One turn of the thread, for tests without one: fires what is due, and returns when the next turn
  /// is due. [one thread]
  TimeMs turn();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dbackup::host
