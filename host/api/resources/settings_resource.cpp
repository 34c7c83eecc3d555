#include "api/resources/settings_resource.hpp"

#include "api/render.hpp"
#include "api/schemas.hpp"
#include "api/schemas_settings.hpp"
#include "model/notification_event.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

constexpr int kPinned[] = {400, 409};
constexpr int kTest[] = {400, 409, 503};
constexpr int kNotBuilt[] = {501};

/// /api/settings/<id>: the rows are those of the groups, so the segment is one of them.
const SettingGroup& group_of(const ApiRequest& request) {
  const std::string& id = request.http.segments.at(2);
  for (const auto& group : kSettingGroups) {
    if (group.id == id) return group;
  }
  throw Error(ErrorCode::NotFound, "settings not found");
}

HttpResponse answer(const SettingsView& view) {
  return json_answer(200, {{"success", true}, {"data", view.values}, {"pinned", view.pinned}});
}

Json definitions() {
  Json out = Json::array();
  for (const auto& row : kNotificationEvents) {
    out.push_back({{"id", row.id},
                   {"label", row.label},
                   {"category", row.category},
                   {"description", row.description},
                   {"defaultEnabled", row.enabled},
                   {"supportsNotifyUser", row.may_tell_user},
                   {"supportsReminder", row.reminder_hours > 0},
                   {"defaultReminderIntervalHours",
                    row.reminder_hours > 0 ? Json(row.reminder_hours) : Json{}}});
  }
  return out;
}

HttpResponse answer(const NotificationSettingsView& view) {
  Json data = to_json(view.chosen);
  data["availableChannels"] = Json::array();
  for (const auto& channel : view.available) {
    data["availableChannels"].push_back(
        {{"id", channel.id}, {"name", channel.name}, {"adapterId", channel.adapter_id}});
  }
  data["eventDefinitions"] = definitions();
  return json_answer(200, render::wrapped(std::move(data)));
}

}  // namespace

template <size_t kIndex>
void SettingsResource::mount_group(RouteTable& table) {
  const SettingGroup& group = kSettingGroups[kIndex];
  const std::string path = "/api/settings/" + std::string{group.id};
  // Built here, and kept until the rows have copied them.
  const std::string words[] = {std::string{group.label},
                               "Change them, in force at once; what is left out stays",
                               "Have the defaults again"};
  const Route<SettingsResource> routes[] = {
      {.method = Method::Get,
       .path = path,
       .access = Permission::SettingsRead,
       .handler = &SettingsResource::get,
       .summary = words[0],
       .section = "Settings",
       .response = schemas::settings_answer<kIndex>,
       .etag = true},
      {.method = Method::Put,
       .path = path,
       .access = Permission::SettingsWrite,
       .handler = &SettingsResource::change,
       .summary = words[1],
       .section = "Settings",
       .body = BodyRule::Required,
       .request = schemas::settings_request<kIndex>,
       .response = schemas::settings_answer<kIndex>,
       .failures = kPinned,
       .etag = true},
  };
  table.mount<SettingsResource>(*this, routes);
  if (!group.can_reset) return;
  const Route<SettingsResource> reset_route[] = {
      {.method = Method::Delete,
       .path = path,
       .access = Permission::SettingsWrite,
       .handler = &SettingsResource::reset,
       .summary = words[2],
       .section = "Settings",
       .response = schemas::settings_answer<kIndex>,
       .etag = true},
  };
  table.mount<SettingsResource>(*this, reset_route);
}

const Route<SettingsResource> SettingsResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/settings/notifications",
     .access = Permission::SettingsRead,
     .handler = &SettingsResource::notifications,
     .summary = "Whom the server tells of what, beside the channels of jobs",
     .section = "Settings",
     .response = schemas::notification_settings,
     .etag = true},
    {.method = Method::Put,
     .path = "/api/settings/notifications",
     .access = Permission::SettingsWrite,
     .handler = &SettingsResource::change_notifications,
     .summary = "Change it; what is left out stays, within an event as well",
     .section = "Settings",
     .body = BodyRule::Required,
     .request = schemas::notification_settings_request,
     .response = schemas::notification_settings,
     .etag = true},
    {.method = Method::Post,
     .path = "/api/settings/notifications/test",
     .access = Permission::SettingsWrite,
     .handler = &SettingsResource::test_notifications,
     .summary = "Send a sample of an event to its channels",
     .section = "Settings",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::notification_test_request,
     .response = schemas::notification_test,
     .failures = kTest},
    {.method = Method::Get,
     .path = "/api/settings/config-backup",
     .access = Permission::SettingsRead,
     .handler = &SettingsResource::config_backup,
     .summary = "Where the server's own configuration would be backed up",
     .section = "Settings",
     .response = schemas::config_backup_settings,
     .etag = true},
    {.method = Method::Put,
     .path = "/api/settings/config-backup",
     .access = Permission::SettingsWrite,
     .handler = &SettingsResource::change_config_backup,
     .summary = "Change it; kept for the version that makes such backups",
     .section = "Settings",
     .body = BodyRule::Required,
     .request = schemas::config_backup_settings_request,
     .response = schemas::config_backup_settings,
     .etag = true},
    {.method = Method::Post,
     .path = "/api/config-backup/run",
     .access = Permission::SettingsWrite,
     .handler = &SettingsResource::no_config_backup,
     .summary = "Back up the configuration now (not available yet)",
     .section = "Settings",
     .response = schema::success_answer,
     .failures = kNotBuilt},
    {.method = Method::Post,
     .path = "/api/config-backup/restore",
     .access = Permission::SettingsWrite,
     .handler = &SettingsResource::no_config_backup,
     .summary = "Restore a stored configuration backup (not available yet)",
     .section = "Settings",
     .response = schema::success_answer,
     .failures = kNotBuilt},
    {.method = Method::Post,
     .path = "/api/config-backup/restore-upload",
     .access = Permission::SettingsWrite,
     .handler = &SettingsResource::no_config_backup,
     .summary = "Restore an uploaded configuration backup (not available yet)",
     .section = "Settings",
     .response = schema::success_answer,
     .failures = kNotBuilt},
    {.method = Method::Get,
     .path = "/api/system/timezone",
     .access = Access::authenticated(),
     .handler = &SettingsResource::time_zone,
     .summary = "The time zone of schedules and calendar days",
     .section = "System",
     .response = schemas::time_zone},
};

void SettingsResource::mount(RouteTable& table) {
  mount_group<0>(table);
  mount_group<1>(table);
  mount_group<2>(table);
  mount_group<3>(table);
  static_assert(std::size(kSettingGroups) == 4);
  table.mount<SettingsResource>(*this, kRoutes);
}

HttpResponse SettingsResource::get(const ApiRequest& request, const Principal&) {
  return answer(services_.settings.get(group_of(request)));
}

HttpResponse SettingsResource::change(const ApiRequest& request, const Principal& who) {
  return answer(services_.settings.change(who, group_of(request), request.body));
}

HttpResponse SettingsResource::reset(const ApiRequest& request, const Principal& who) {
  return answer(services_.settings.reset(who, group_of(request)));
}

HttpResponse SettingsResource::notifications(const ApiRequest&, const Principal&) {
  return answer(services_.notification_settings.get());
}

HttpResponse SettingsResource::change_notifications(const ApiRequest& request,
                                                    const Principal& who) {
  return answer(services_.notification_settings.change(who, request.body));
}

HttpResponse SettingsResource::test_notifications(const ApiRequest& request, const Principal& who) {
  const auto outcome =
      services_.notification_settings.test(who, require_string(request.body, "eventType"));
  return json_answer(
      200, render::wrapped({{"succeeded", outcome.succeeded}, {"failed", outcome.failed}}));
}

HttpResponse SettingsResource::config_backup(const ApiRequest&, const Principal&) {
  return json_answer(200, render::wrapped(services_.settings.config_backup()));
}

HttpResponse SettingsResource::change_config_backup(const ApiRequest& request,
                                                    const Principal& who) {
  return json_answer(200,
                     render::wrapped(services_.settings.change_config_backup(who, request.body)));
}

HttpResponse SettingsResource::no_config_backup(const ApiRequest&, const Principal&) {
  throw Error(ErrorCode::Unimplemented, "configuration backups are not available yet");
}

HttpResponse SettingsResource::time_zone(const ApiRequest&, const Principal&) {
  return json_answer(200,
                     {{"schedulerTimezone", services_.control.context().settings().time_zone}});
}

}  // namespace dbackup::host
