#pragma once

#include "api/schema.hpp"
#include "services/settings_fields.hpp"

/// Schemas of settings, system tasks and the audit log. Those of settings follow the settings' own
/// table.
namespace dbackup::host::schemas {

Json setting_values(const SettingGroup& group, bool is_answer);
/// {"success":true,"data":{…},"pinned":{…}}
Json settings_answer_of(const SettingGroup& group);

template <size_t kIndex>
Json settings_answer() {
  return settings_answer_of(kSettingGroups[kIndex]);
}
template <size_t kIndex>
Json settings_request() {
  return setting_values(kSettingGroups[kIndex], /*is_answer=*/false);
}

Json notification_settings();
Json notification_settings_request();
Json notification_test_request();
Json notification_test();
Json config_backup_settings();
Json config_backup_settings_request();
Json time_zone();

Json system_tasks();
Json system_task_change();
Json system_task_run_request();
Json system_task_run();

Json audit_query();
Json audit_page();
Json audit_stats();

}  // namespace dbackup::host::schemas
