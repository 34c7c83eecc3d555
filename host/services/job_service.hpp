#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/adapter_service.hpp"
#include "services/bulk.hpp"
#include "store/execution_store.hpp"
#include "store/job_store.hpp"
#include "store/template_store.hpp"

namespace dbackup::host {

class AuditLog;

/// What jobs refer to, by id; the views of one list share it.
struct JobSurroundings {
  std::map<std::string, AdapterView> adapters;
  std::map<std::string, std::string> profile_names;
  std::map<std::string, Template> templates;
};

/// A job with everything its readers are shown.
struct JobView {
  Job job;
  std::shared_ptr<const JobSurroundings> around;
  std::optional<LastRun> last_run;  ///< newest execution, of any status
  std::optional<TimeMs> next_run_at;  ///< none for a disabled job

  const AdapterView* adapter(const std::string& id) const;
  const Template* find_template(const std::string& id) const;
  const std::string* profile_name() const;
  /// In force: of the linked preset, else the job's own.
  std::string schedule() const;
};

/// Backup jobs. [any-thread]
class JobService {
 public:
  JobService(ControlPlane& control, AdapterService& adapters, const AuditLog& audit)
      : control_{control}, adapters_{adapters}, audit_{audit} {}

  std::vector<JobView> list(const JobFilter& filter = {});  ///< newest first
  JobView get(const std::string& id);                       ///< NotFound
  /// `fields` as the published API names them. Throws Error{InvalidArgument} naming the field,
  /// {AlreadyExists} when the name is taken.
  JobView create(const Principal& who, const Json& fields);
  JobView update(const Principal& who, const std::string& id, const Json& fields);
  void remove(const Principal& who, const std::string& id);  ///< executions and backups stay
  /// A disabled copy of every field. `name` "": "X (Copy)", "X (Copy 2)", … whichever is free.
  JobView clone(const Principal& who, const std::string& id, const std::string& name);
  /// `action`: delete, enable, disable.
  BulkOutcome bulk(const Principal& who, const std::string& action,
                   const std::vector<std::string>& ids);

 private:
  std::shared_ptr<const JobSurroundings> surroundings(Session& session,
                                                      const std::vector<Job>& jobs) const;
  std::optional<TimeMs> next_run(const JobView& view) const;

  ControlPlane& control_;
  AdapterService& adapters_;
  const AuditLog& audit_;
};

}  // namespace dbackup::host
