#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/json.hpp"
#include "model/principal.hpp"
#include "services/settings_fields.hpp"

namespace dbackup::host {

class AuditLog;
class ControlPlane;

/// The values of one group, and which of them this API cannot change.
struct SettingsView {
  Json values = Json::object();
  std::map<std::string, std::string> pinned;  ///< field → "environment" or "file"
};

/// Settings that the API may change; a change is in force at once. [any-thread]
class SettingsService {
 public:
  SettingsService(ControlPlane& control, const AuditLog& audit)
      : control_{control}, audit_{audit} {}

  SettingsView get(const SettingGroup& group) const;
  /// What is left out stays. Throws Error{InvalidArgument} naming the field, {FailedPrecondition}
  /// when environment or file pin a value that would change.
  SettingsView change(const Principal& who, const SettingGroup& group, const Json& fields);
  /// Forgets what the API stored of the group.
  SettingsView reset(const Principal& who, const SettingGroup& group);

  /// Where and how the server backs up its own configuration; as the API names the fields.
  Json config_backup() const;
  Json change_config_backup(const Principal& who, const Json& fields);

 private:
  ControlPlane& control_;
  const AuditLog& audit_;
  std::mutex changing_;  ///< store and process take changes in the same order
};

}  // namespace dbackup::host
