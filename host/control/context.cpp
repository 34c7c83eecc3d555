#include "control/context.hpp"

namespace dbackup::host {

ControlSettings ControlContext::settings() const {
  const auto now = live.now();
  return {.max_concurrent_jobs = now->integer("queue.max_concurrent_jobs"),
          .time_zone = now->text("system.timezone"),
          .name_pattern = now->text("system.filename_pattern"),
          .backup_confirm = now->text("backup.confirm"),
          .trigger_actor_in_sidecar = now->flag("privacy.include_actor_in_metadata")};
}

}  // namespace dbackup::host
