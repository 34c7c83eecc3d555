#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/template.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// Templates of all kinds.
class TemplateStore {
 public:
  std::vector<Template> list(Session& session, TemplateKind kind) const;  ///< by name
  std::vector<Template> list_all(Session& session) const;
  /// nullopt also when it is of another kind.
  std::optional<Template> find(Session& session, TemplateKind kind, const std::string& id) const;
  std::optional<Template> find_by_name(Session& session, TemplateKind kind,
                                       const std::string& name) const;
  /// Of a kind with a single default.
  std::optional<Template> find_default(Session& session, TemplateKind kind) const;
  void insert(Session& session,
              const Template& row) const;  ///< AlreadyExists: name, or a second default
  void update(Session& session, const Template& row) const;
  bool remove(Session& session, TemplateKind kind, const std::string& id) const;
  void clear_default(Session& session, TemplateKind kind, TimeMs now) const;
  /// Names of the jobs that keep it from being deleted; by name.
  std::vector<std::string> jobs_using(Session& session, const std::string& id) const;
  /// Names of the notification templates with this channel.
  std::vector<std::string> names_using_adapter(Session& session,
                                               const std::string& config_id) const;
};

}  // namespace dbackup::host
