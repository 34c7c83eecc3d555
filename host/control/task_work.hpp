#pragma once

#include "control/system_tasks.hpp"

namespace dbackup::host {

class AdapterObserver;
class Catalog;
class Queue;

/// The system tasks whose work is the control plane's own, and the tables that it keeps short. All must
/// outlive `tasks`.
void add_control_tasks(SystemTasks& tasks, const ControlContext& context, Catalog& catalog, Queue& queue,
                       AdapterObserver& observer);

}  // namespace dbackup::host
