#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/nouns.hpp"
#include "model/observation.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// Adapter configurations. All functions: [any-thread] with their own Session.
class AdapterStore {
 public:
  /// Newest first; `type` "" = all.
  std::vector<AdapterConfig> list(Session& session, const std::string& type = "") const;
  std::optional<AdapterConfig> find(Session& session, const std::string& id) const;
  std::optional<AdapterConfig> find_by_name(Session& session, const std::string& type, const std::string& name) const;
  /// Throws Error{AlreadyExists} when (type, name) is taken.
  void insert(Session& session, const AdapterConfig& adapter) const;
  /// All but what is observed: lastHealthCheck, lastStatus, lastError, consecutiveFailures.
  void update(Session& session, const AdapterConfig& adapter) const;
  /// Only while the metadata is still what `seen` holds; false: somebody was faster.
  bool replace_metadata(Session& session, const AdapterConfig& seen, const Json& metadata) const;
  /// What a health check found; `failures` in a row, this one included.
  void record_health(Session& session, const HealthCheck& check, int64_t failures) const;
  bool remove(Session& session, const std::string& id) const;
};

}  // namespace dbackup::host
