#include "api/schemas_settings.hpp"

#include "api/page.hpp"
#include "base/settings_table.hpp"
#include "model/audit.hpp"
#include "model/notification_event.hpp"

namespace dbackup::host::schemas {

using namespace schema;

namespace {

Json choices(std::string_view joined) {
  Json out = text();
  while (!joined.empty()) {
    const size_t end = std::min(joined.find('|'), joined.size());
    out["enum"].push_back(std::string{joined.substr(0, end)});
    joined.remove_prefix(std::min(end + 1, joined.size()));
  }
  return out;
}

Json type_of(const SettingRow& row) {
  switch (row.type) {
    case SettingType::Integer:
      return integer(row.minimum, row.maximum);
    case SettingType::Boolean:
      return flag();
    case SettingType::Choice:
      return choices(row.choices);
    default:
      return text(0, row.maximum > 0 ? static_cast<size_t>(row.maximum) : 200);
  }
}

template <size_t kSize>
Json any_of(const std::array<std::string_view, kSize>& values) {
  Json out = text();
  for (const auto value : values) out["enum"].push_back(std::string{value});
  return out;
}

Json event_ids() {
  Json out = text();
  for (const auto& row : kNotificationEvents) out["enum"].push_back(std::string{row.id});
  return out;
}

Json event_fields() {
  return object({required("enabled", flag()),
                 required("channels", described(nullable(list_of(text())),
                                                "null: the global channels; an empty list: none")),
                 required("notifyUser", one_of({"none", "also", "only"})),
                 optional("reminderIntervalHours", integer())});
}

Json event_request() {
  return object({optional("enabled", flag()),
                 optional("channels", described(nullable(list_of(text(1, 100), 0, 200)),
                                                "null: the global channels; an empty list: none")),
                 optional("notifyUser", one_of({"none", "also", "only"})),
                 optional("reminderIntervalHours", described(nullable(integer(1, 8760)),
                                                             "null: the event's own interval"))});
}

Json counts() { return list_of(object({required("value", text()), required("count", integer())})); }

}  // namespace

Json setting_values(const SettingGroup& group, bool is_answer) {
  Json out = object({});
  for (const auto& field : group.fields) {
    const SettingRow& row = *find_setting(field.key);
    const Json typed = described(type_of(row), row.help);
    out = merged(out,
                 object({is_answer ? required(field.name, typed) : optional(field.name, typed)}));
  }
  return out;
}

Json settings_answer_of(const SettingGroup& group) {
  const Json pinned =
      described(map_of(one_of({"environment", "file"})),
                "fields that the server's environment or configuration file decide");
  return merged(wrapped(setting_values(group, /*is_answer=*/true)),
                object({required("pinned", pinned)}));
}

Json notification_settings() {
  const Json channel =
      object({required("id", text()), required("name", text()), required("adapterId", text())});
  const Json definition =
      object({required("id", event_ids()), required("label", text()), required("category", text()),
              required("description", text()), required("defaultEnabled", flag()),
              required("supportsNotifyUser", flag()), required("supportsReminder", flag()),
              required("defaultReminderIntervalHours", nullable(integer()))});
  return wrapped(object({required("globalChannels", list_of(text())),
                         required("events", map_of(event_fields())),
                         required("availableChannels", list_of(channel)),
                         required("eventDefinitions", list_of(definition))}));
}

Json notification_settings_request() {
  return object({optional("globalChannels", list_of(text(1, 100), 0, 200)),
                 optional("events", described(map_of(event_request()), "by the event's id"))});
}

Json notification_test_request() { return object({required("eventType", text(1, 100))}); }

Json notification_test() {
  return wrapped(object({required("succeeded", integer()), required("failed", integer())}));
}

Json config_backup_settings() {
  return wrapped(
      object({required("enabled", flag()), required("storageId", nullable(text())),
              required("profileId", nullable(text())), required("includeSecrets", flag()),
              required("includeStatistics", flag()), required("retention", integer())}));
}

Json config_backup_settings_request() {
  return object(
      {optional("enabled", flag()), optional("storageId", nullable(text(0, 100))),
       optional("profileId", described(nullable(text(0, 100)), "needed with includeSecrets")),
       optional("includeSecrets", flag()), optional("includeStatistics", flag()),
       optional("retention",
                described(integer(1, 1'000'000), "configuration backups that are kept"))});
}

Json time_zone() {
  return object({required("schedulerTimezone", described(text(), "an IANA name"))});
}

Json system_tasks() {
  return list_of(titled(
      "SystemTask",
      object({required("id", text()), required("label", text()), required("description", text()),
              required("schedule", text()), required("runOnStartup", flag()),
              required("enabled", flag()), required("lastRunAt", nullable(date())),
              required("nextRunAt", nullable(date())), required("timezone", text())})));
}

Json system_task_change() {
  return object({required("taskId", text(1, 100)),
                 optional("schedule", described(text(1, 200), "cron")),
                 optional("runOnStartup", flag()), optional("enabled", flag())});
}

Json system_task_run_request() { return object({required("taskId", text(1, 100))}); }

Json system_task_run() {
  return object(
      {required("success", flag()), required("message", text()),
       required("executionId", described(nullable(text()), "of tasks that make an execution"))});
}

Json audit_query() {
  const auto day = [] {
    return described(text(0, 40), "2026-03-09, or with time and zone; included");
  };
  return merged(object({optional("userId", text(0, 100)), optional("action", any_of(kAuditActions)),
                        optional("resource", any_of(kAuditResources)), optional("startDate", day()),
                        optional("endDate", day()), optional("search", text(0, 200))}),
                page_query("limit"));
}

Json audit_page() {
  const Json user =
      object({required("id", text()), required("name", nullable(text())),
              required("email", nullable(text())), required("image", nullable(text()))});
  const Json entry =
      titled("AuditEntry",
             object({required("id", text()), required("userId", nullable(text())),
                     required("user", nullable(user)), required("action", text()),
                     required("resource", text()), required("resourceId", nullable(text())),
                     required("details", described(nullable(text()), "JSON as text")),
                     required("ipAddress", nullable(text())),
                     required("userAgent", nullable(text())), required("createdAt", date())}));
  return wrapped(paginated("logs", entry));
}

Json audit_stats() {
  return wrapped(object({required("actions", counts()), required("resources", counts())}));
}

}  // namespace dbackup::host::schemas
