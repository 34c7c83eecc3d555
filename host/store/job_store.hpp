#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/nouns.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// Which jobs a list shows.
struct JobFilter {
  std::string search;           ///< part of the name, in any case; "": any
  std::optional<bool> enabled;
  int64_t limit = 0, offset = 0;  ///< limit 0: all
};

/// Jobs with their destinations, folders and channels.
class JobStore {
 public:
  std::vector<Job> list(Session& session, const JobFilter& filter = {}) const;  ///< newest first
  std::optional<Job> find(Session& session, const std::string& id) const;
  std::optional<Job> find_by_name(Session& session, const std::string& name) const;
  void insert(Session& session, const Job& job) const;  ///< AlreadyExists when the name is taken
  void update(Session& session, const Job& job) const;  ///< replaces destinations and channels
  bool remove(Session& session, const std::string& id) const;  ///< executions keep their name, lose job_id
  /// Names of jobs that use an adapter configuration as source, destination, directory source or channel.
  std::vector<std::string> names_using_adapter(Session& session, const std::string& config_id) const;
  std::vector<std::string> names_using_profile(Session& session, const std::string& profile_id) const;
};

}  // namespace dbackup::host
