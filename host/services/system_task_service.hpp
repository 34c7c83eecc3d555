#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "control/system_tasks.hpp"
#include "model/principal.hpp"

namespace dbackup::host {

class AuditLog;
class ControlPlane;

struct SystemTaskView {
  const SystemTaskRow* row = nullptr;
  SystemTaskSettings chosen;
  std::optional<TimeMs> next_run_at;  ///< none while it is off or cannot run
  std::string time_zone;
};

/// The work of the program itself, as operators see it. [any-thread]
class SystemTaskService {
 public:
  SystemTaskService(ControlPlane& control, const AuditLog& audit)
      : control_{control}, audit_{audit} {}

  std::vector<SystemTaskView> list() const;  ///< in the order of the table
  /// `fields`: schedule, enabled, runOnStartup; what is left out stays. Throws Error{NotFound} for
  /// an unknown id, {InvalidArgument} for a bad schedule.
  void change(const Principal& who, const std::string& id, const Json& fields);
  /// Begins it; does not wait. False when it runs already. Throws Error{NotFound}, {Unimplemented}.
  bool run(const Principal& who, const std::string& id);

 private:
  ControlPlane& control_;
  const AuditLog& audit_;
};

}  // namespace dbackup::host
