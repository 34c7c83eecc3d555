#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/adapter_service.hpp"

namespace dbackup::host {

/// A job with everything its readers are shown.
struct JobView {
  Job job;
  std::map<std::string, AdapterView> adapters;  ///< all it refers to, by id
  std::string profile_name;
  std::optional<TimeMs> last_run_at;  ///< newest execution's start, of any status
  std::string last_status;
};

/// Backup jobs. [any-thread]
class JobService {
 public:
  JobService(ControlPlane& control, AdapterService& adapters)
      : control_{control}, adapters_{adapters} {}

  std::vector<JobView> list();         ///< newest first
  JobView get(const std::string& id);  ///< NotFound
  /// `fields` as the published API names them. Throws Error{InvalidArgument} naming the field,
  /// {AlreadyExists} when the name is taken.
  JobView create(const Json& fields);
  JobView update(const std::string& id, const Json& fields);
  void remove(const std::string& id);  ///< executions and backups stay

 private:
  JobView view(Session& session, Job job, std::map<std::string, AdapterView>& known) const;

  ControlPlane& control_;
  AdapterService& adapters_;
};

}  // namespace dbackup::host
