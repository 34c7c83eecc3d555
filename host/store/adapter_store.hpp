#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/nouns.hpp"
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
  void update(Session& session, const AdapterConfig& adapter) const;
  bool remove(Session& session, const std::string& id) const;
};

}  // namespace dbackup::host
