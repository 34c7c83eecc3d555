#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/logging.hpp"
#include "base/settings.hpp"
#include "control/run_news.hpp"
#include "crypto/secret_box.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// What the operator may change while the server runs; asked for anew whenever it matters.
struct ControlSettings {
  int64_t max_concurrent_jobs = 1;
  std::string time_zone = "UTC";  ///< IANA name; of the dates in file names
  std::string name_pattern = "{job_name}_yyyy-MM-dd_HH-mm-ss";
  int64_t worker_memory_bytes = 0;     ///< of one backup's pipeline; 0: built-in limit
  std::string backup_confirm = "size";  ///< protocol::BackupRequest::confirm
  bool trigger_actor_in_sidecar = true;
};

/// What every part of the control plane works with. Plain references: their owner outlives it.
struct ControlContext {
  Database& database;
  const SecretBox& box;
  const Clock& clock;
  std::string host_id;          ///< new at every start: rows of another id belong to another process
  std::string program_version;
  std::string data_dir;
  LiveSettings& live;           ///< all settings, as the API may change them
  std::shared_ptr<RunNews> news = std::make_shared<RunNews>();  ///< of what is written about runs

  ControlSettings settings() const;  ///< the ones that runs ask for. [any-thread]
};

}  // namespace dbackup::host
